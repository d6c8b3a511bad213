import { type FileSystemPlace, findGroup, viewOf } from './group-view.ts'

/**
 * Shuts a file system down without writing its log (`FS_IOC_SHUTDOWN`, which ext4 and xfs have in common): what is in memory only is dropped, whatever is tried
 * later fails, and unmounting writes nothing of it. EIO says that it is so already. One program for both; xfs_io is not there where nobody uses xfs, and Node.js cannot ioctl.
 */
const SHUT_DOWN = `
sub fail { exit 0 if $! == 5; die "$!\\n" }
open(my $place, "<", shift) or fail;
my $flags = pack("L", 2);
ioctl($place, 0x8004587d, $flags) or fail`

/** Drops what this host has in memory of a disk group. Not mounted here: nothing happens. Throws what the program said. */
export async function cutOffGroup(place: FileSystemPlace): Promise<void> {
  const { mounts, numbers } = await viewOf(await findGroup(place))
  const places = new Map(mounts.filter(({ device }) => numbers.has(device)).map((mount) => [mount.device, mount]))
  await Promise.all(
    [...places.values()].map(({ mountPoint }) =>
      place.run(['perl', '-e', SHUT_DOWN, mountPoint], { signal: place.signal }),
    ),
  )
}
