import { truncateSync, writeFileSync } from 'node:fs'
import { postgresBin } from './missing.ts'
import { runProgram } from './run-program.ts'

/** The least that mkfs.xfs accepts is 300 MB; the file is sparse. */
const IMAGE_BYTES = 320 * 1024 * 1024

/** Makes an image file with a file system, and runs a shell script in it ($1 = where it is mounted; other words follow). */
export async function makeImage(path: string, type: 'ext4' | 'xfs', script: string, ...words: string[]): Promise<void> {
  writeFileSync(path, '')
  truncateSync(path, IMAGE_BYTES)
  await runProgram(type === 'ext4' ? ['mkfs.ext4', '-q', '-F', path] : ['mkfs.xfs', '-q', path])
  // In a mount namespace of its own: whatever happens, it is not left mounted.
  const whole = `set -e; place=$(mktemp -d); mount -o loop "$0" "$place"; trap 'umount "$place"; rmdir "$place"' EXIT; script=$1; shift; sh -ec "$script" sh "$place" "$@"`
  await runProgram(['unshare', '--mount', 'sh', '-c', whole, path, script, ...words])
}

/** Makes what a data service `postgresql` needs on its disk group. */
export async function makePostgresImage(path: string, type: 'ext4' | 'xfs', address: string): Promise<void> {
  await makeImage(path, type, POSTGRES, postgresBin() ?? '', address)
}

// $1 = mount point, $2 = directory of its programs, $3 = address.
const POSTGRES = `
chmod 755 "$1"
install -d -o postgres -m 700 "$1/pgdata"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
as_postgres "$2/initdb" -N -A trust -E UTF8 --locale=C -D "$1/pgdata" >/dev/null
cat >>"$1/pgdata/postgresql.conf" <<END
shared_buffers = 16MB
max_connections = 20
max_wal_senders = 0
max_wal_size = 64MB
min_wal_size = 32MB
recovery_init_sync_method = syncfs
END
echo 'host all all 10.77.0.0/24 trust' >>"$1/pgdata/pg_hba.conf"
mkdir "$1/postgresql"
printf 'ADDRESS=%s\\nPORT=5432\\n' "$3" >"$1/postgresql/postgresql.conf.sh"
`
