import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DiskGroup } from '../../src/framework/model/cluster-config.ts'
import type { ImportCall } from '../../src/framework/ports/disk-group-driver.ts'
import { eventually } from '../eventually.ts'
import { exportGroup, importGroup, leftovers, status } from './disk-group-driver.contract.ts'
import {
  missingForReservations,
  type ReservationRig,
  ReservationRigs,
  type ReservingHost,
  wrapProgram,
} from './disk-group-driver-reservation.ts'
import { codeOf } from './driver-rig/expected-failure.ts'
import { command } from './driver-rig/namespace-host.ts'

const skip = await missingForReservations()
const physicalHosts = ['h1', 'h2', 'h3']

describe.skipIf(skip !== undefined)(`reservations${skip === undefined ? '' : ` (skipped: ${skip})`}`, () => {
  const rigs = new ReservationRigs()
  let rig: ReservationRig
  beforeAll(() => rigs.start())
  afterAll(() => rigs.stop())
  beforeEach(async () => {
    rig = await rigs.make()
  })
  afterEach(() => rig.close())

  it('keep a host that stood still from writing when it goes on', async () => {
    const { h1, h2 } = rig
    await importGroup(rig, h1)
    const writer = await startWriter(h1)
    await eventually('some lines of h1', 10_000, () => (writer.acknowledged() > 20 ? true : undefined))
    writer.child.kill('SIGSTOP')
    h1.disk.freeze()
    await take(rig, h2, ['h1'])
    // It stands still, so this is all that it has said; one line more may be under way.
    const before = writer.acknowledged()
    await h2.shell(`echo "written by h2" >${h2.path}/second; sync ${h2.path}/second`)
    // What h1 had acknowledged is there; what it had under way may be.
    const kept = (await h2.shell(`cat ${h2.path}/lines`)).trimEnd().split('\n')
    expect(kept.length).toBeGreaterThanOrEqual(before)
    expect(kept.slice(0, before)).toEqual(Array.from({ length: before }, (_, index) => `line ${index + 1} of h1`))

    h1.disk.thaw()
    writer.child.kill('SIGCONT')
    await eventually('the writer on h1 to fail', 30_000, () => writer.error())
    expect(writer.error()).toMatch(/Input\/output error|Read-only file system/)
    // Also what a program gives the disk itself, past every file system, is refused.
    expect(await writesRaw(h1)).toBe(false)
    expect(await status(rig, h1)).toMatchObject({ kind: 'unusable', why: expect.stringMatching(/reservation .* lost/) })
    await expect(take(rig, h1)).rejects.toMatchObject({
      code: 'DISK_GROUP_HELD',
      message: expect.stringMatching(/mounted here, but the reservation .* was lost: physical host 'h2' has it now/),
    })
    await h2.shell(`for i in 1 2 3; do echo "$i by h2" >>${h2.path}/second; sync ${h2.path}/second; done`)
    await exportGroup(rig, h1)
    expect(await leftovers(rig, h1)).toEqual([])
    await exportGroup(rig, h2)

    await command('e2fsck', '-f', '-n', rig.target.image)
    const raw = await readFile(rig.target.image, 'latin1')
    expect(raw).not.toContain(`line ${before + 2} of h1`)
    expect(raw).not.toContain(RAW)
    expect(raw).toContain('written by h2\n1 by h2\n2 by h2\n3 by h2\n')
    await importGroup(rig, h1)
    expect(await h1.shell(`cat ${h1.path}/second`)).toContain('3 by h2')
    expect((await h1.shell(`cat ${h1.path}/lines`)).trimEnd().split('\n')).toEqual(kept)
    await h1.shell(`echo again >${h1.path}/third; sync ${h1.path}/third`)
  })

  it('stay when the disk group is let go, so that a host that stood still cannot write in between either', async () => {
    const { h1, h2, h3 } = rig
    await importGroup(rig, h1)
    h1.disk.freeze()
    await take(rig, h2, ['h1'])
    await exportGroup(rig, h2)
    expect(await leftovers(rig, h2)).toEqual([])
    h1.disk.thaw()
    expect(await writesRaw(h1)).toBe(false)
    expect(await writesRaw(h3)).toBe(false)
    await importGroup(rig, h3)
    expect(await writesRaw(h1)).toBe(false)
    expect(await writesRaw(h2)).toBe(false)
    await exportGroup(rig, h1)
  })

  it('let exactly one of two hosts win that force at the same time', async () => {
    const { h1, h2, h3 } = rig
    for (let round = 0; round < 8; round += 1) {
      await importGroup(rig, h1)
      h1.disk.freeze()
      const codes = await Promise.all([h2, h3].map((host) => codeOf(take(rig, host, ['h1']))))
      expect(codes.toSorted()).toEqual(['DISK_GROUP_HELD', 'nothing'])
      const [winner, loser] = codes[0] === 'nothing' ? [h2, h3] : [h3, h2]
      await winner.shell(`echo ${round} >${winner.path}/round; sync ${winner.path}/round`)
      expect(await status(rig, winner)).toEqual({ kind: 'imported' })
      expect(await writesRaw(loser)).toBe(false)
      h1.disk.thaw()
      await exportGroup(rig, h1)
      await exportGroup(rig, winner)
      expect((await Promise.all([h1, h2, h3].map((host) => leftovers(rig, host)))).flat()).toEqual([])
    }
  })

  it('end well when an import is cut off after any command', async () => {
    const { h1, h2 } = rig
    for (let commands = 1, isDone = false; !isDone; commands += 1) {
      await importGroup(rig, h1)
      h1.disk.freeze()
      const unwrap = await wrapProgram(h2, stopAfter(h2, commands))
      const cut = new AbortController()
      let hasEnded = false
      const importing = take(rig, h2, ['h1'], cut.signal).finally(() => {
        hasEnded = true
      })
      importing.catch(() => undefined)
      await eventually(`command ${commands}, or the end`, 20_000, async () =>
        hasEnded || (await isThere(h2, 'stopped')) ? true : undefined,
      )
      cut.abort(new Error('cut off by the test'))
      isDone = await importing.then(
        () => true,
        () => false,
      )
      await unwrap()
      await command('sh', '-c', 'rm -rf "$1"/stopped "$1"/count.*', 'sh', h2.disk.directory)
      if (commands % 2 === 0) await take(rig, h2, ['h1'])
      else await exportGroup(rig, h2)
      await take(rig, h2, ['h1'])
      expect(await status(rig, h2), `cut off after command ${commands}`).toEqual({ kind: 'imported' })
      await h2.shell(`echo ${commands} >${h2.path}/cut; sync ${h2.path}/cut`)
      h1.disk.thaw()
      expect(await writesRaw(h1), `cut off after command ${commands}`).toBe(false)
      await exportGroup(rig, h1)
      await exportGroup(rig, h2)
      expect(await leftovers(rig, h2), `cut off after command ${commands}`).toEqual([])
      if (isDone) expect(commands).toBeGreaterThan(5)
    }
  })
})

describe.skipIf(skip !== undefined)(`reservations, when something is wrong${skip ?? ''}`, () => {
  const rigs = new ReservationRigs()
  let rig: ReservationRig
  beforeAll(() => rigs.start())
  afterAll(() => rigs.stop())
  beforeEach(async () => {
    rig = await rigs.make()
  })
  afterEach(() => rig.close())

  it('refuse the import when the lost host cannot be ended', async () => {
    const { h1, h2 } = rig
    await importGroup(rig, h1)
    const unwrap = await wrapProgram(h2, 'case "$*" in *--preempt*) exit 15;; esac; exec "$REAL" "$@"')
    expect(await codeOf(take(rig, h2, ['h1']))).toBe('DISK_GROUP_UNUSABLE')
    expect(await writesRaw(h2)).toBe(false)
    await h1.shell(`echo safe >${h1.path}/data; sync ${h1.path}/data`)
    expect(await status(rig, h1)).toEqual({ kind: 'imported' })
    await unwrap()
    await take(rig, h2, ['h1'])
    await exportGroup(rig, h1)
  })

  it('are taken by force from lost hosts only', async () => {
    const { h1, h2 } = rig
    await importGroup(rig, h1)
    await expect(take(rig, h2, ['h3'])).rejects.toMatchObject({
      code: 'DISK_GROUP_HELD',
      message: expect.stringContaining("is reserved by physical host 'h1'"),
    })
    expect(await status(rig, h1)).toEqual({ kind: 'imported' })
  })

  it('are not taken from strangers, not even by force', async () => {
    const { h1, h3 } = rig
    await h3.disk.persist('--out', '--register', '--param-sark=1234')
    await expect(take(rig, h1, physicalHosts)).rejects.toMatchObject({
      code: 'DISK_GROUP_HELD',
      hint: expect.stringContaining('--clear'),
    })
    expect(await h1.disk.persist('--in', '--read-keys')).toMatch(/1 registered reservation key follows:\s+0x1234\s/)
    await h3.disk.persist('--out', '--clear', '--param-rk=1234')
    await importGroup(rig, h1)
  })

  it('need a disk that knows them', async () => {
    const { h1 } = rig
    const device = await h1.shell(`truncate -s 1M ${rig.target.image}-2; losetup --find --show ${rig.target.image}-2`)
    try {
      const noScsi = withDevice(rig, device.trim(), 'sg_persist')
      await expect(importGroup(noScsi, h1)).rejects.toMatchObject({
        code: 'DISK_GROUP_UNUSABLE',
        message: expect.stringContaining('does not support SCSI-3 persistent reservations'),
      })
      // A host that cannot import it has nothing to give up either.
      await exportGroup(noScsi, h1)
      expect(await leftovers(noScsi, h1)).toEqual([])
      const noProgram = withDevice(rig, device.trim(), '/nowhere/sg_persist')
      await expect(importGroup(noProgram, h1)).rejects.toMatchObject({
        message: expect.stringContaining('package sg3-utils'),
      })
      await exportGroup(noProgram, h1)
      expect(await leftovers(noProgram, h1)).toEqual([])
    } finally {
      await h1.shell(`losetup --detach ${device}`)
    }
    await expect(importGroup(withDevice(rig, rig.target.image, 'sg_persist'), h1)).rejects.toMatchObject({
      message: expect.stringContaining('is an image file, which cannot be reserved'),
    })
  })

  it('are made again when the disk has forgotten them', async () => {
    const { h1, h2 } = rig
    await importGroup(rig, h1)
    await rig.target.restart()
    await eventually('the session', 20_000, () => h1.disk.persist('--in', '--read-keys'))
    expect(await status(rig, h1)).toMatchObject({ kind: 'unusable', why: expect.stringContaining('nobody has it') })
    await importGroup(rig, h1)
    expect(await status(rig, h1)).toEqual({ kind: 'imported' })
    await h1.shell(`echo kept >${h1.path}/data; sync ${h1.path}/data`)
    await eventually('the session of h2', 20_000, () => h2.disk.persist('--in', '--read-keys'))
    expect(await writesRaw(h2)).toBe(false)
    await exportGroup(rig, h1)
    expect(await leftovers(rig, h1)).toEqual([])
  })

  it('are made again for a new session', async () => {
    const { h1, h2 } = rig
    await importGroup(rig, h1)
    await rig.target.dropSessions()
    await eventually('new sessions', 20_000, () => h1.disk.persist('--in', '--read-keys'))
    expect(await writesRaw(h1)).toBe(false)
    await importGroup(rig, h1)
    await h1.shell(`echo kept >${h1.path}/data; sync ${h1.path}/data`)
    expect(await writesRaw(h2)).toBe(false)
    await exportGroup(rig, h1)
    expect(await leftovers(rig, h1)).toEqual([])
    await importGroup(rig, h2)
    expect(await h2.shell(`cat ${h2.path}/data`)).toBe('kept\n')
    expect(await writesRaw(h1)).toBe(false)
  })

  it('do not keep a guard waiting whose disk does not answer', async () => {
    const { h1 } = rig
    await importGroup(rig, h1)
    h1.disk.freeze()
    const signal = AbortSignal.timeout(1_000)
    await expect(h1.driver.export(rig.group, { mountPoint: rig.mountPoint, signal })).rejects.toThrow()
    h1.disk.thaw()
    await exportGroup(rig, h1)
    expect(await leftovers(rig, h1)).toEqual([])
  })
})

const RAW = 'raw words that must not be on the disk'
const forever = new AbortController().signal

/** Imports as a plan does: by force when there are lost hosts. */
function take(
  { group, mountPoint }: ReservationRig,
  host: ReservingHost,
  lostHosts: readonly string[] = [],
  signal: AbortSignal = forever,
): Promise<void> {
  const call: ImportCall = { mountPoint, force: lostHosts.length > 0, lostHosts, physicalHosts, incarnation: 7, signal }
  return host.driver.import(group, call)
}

/** Tells whether a host can write to its device, past every file system and cache. The last sector of an ext4 file system of this size is not used. */
async function writesRaw({ disk, shell }: ReservingHost): Promise<boolean> {
  const script = `printf %-512s '${RAW}' | dd of=${disk.device} bs=512 seek=$(($(blockdev --getsz ${disk.device}) - 1)) oflag=direct 2>&1`
  return await shell(script).then(
    () => true,
    () => false,
  )
}

interface Writer {
  readonly child: ChildProcess
  /** How many lines were written and made durable. */
  acknowledged(): number
  /** What it said when it could write no more. */
  error(): string | undefined
}

const WRITER = `
use IO::Handle;
$| = 1;
open(my $file, ">>", shift) or die;
print "ready\\n";
for (my ($n, $errors) = (1, 0); $errors < 50; $n++) {
  if ((print $file "line $n of h1\\n") && $file->flush && $file->sync) { print "$n\\n" } else { print "error $!\\n"; $errors++ }
}
sleep 1 while 1;`

/** Starts a program that writes lines, each made durable, and goes on when it fails. */
async function startWriter(host: ReservingHost): Promise<Writer> {
  const child = await host.launch(['perl', '-e', WRITER, `${host.path}/lines`])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  const numbers = (): readonly number[] => [...output.matchAll(/^(\d+)$/gm)].map(([, digits]) => Number(digits))
  return {
    child,
    acknowledged: () => numbers().at(-1) ?? 0,
    error: () => /^error (.*)$/m.exec(output)?.[1],
  }
}

/** A script that never comes back from the nth command. Some are given at the same time, so each takes a number that no other has. */
function stopAfter({ disk }: ReservingHost, commands: number): string {
  const [count, stopped] = [join(disk.directory, 'count'), join(disk.directory, 'stopped')]
  return `number=1
while ! mkdir ${count}.$number 2>/dev/null; do number=$((number + 1)); done
[ "$number" -eq ${commands} ] || exec "$REAL" "$@"
"$REAL" "$@"; echo >${stopped}; exec sleep 1000`
}

async function isThere({ disk }: ReservingHost, name: string): Promise<boolean> {
  return await command('test', '-e', join(disk.directory, name)).then(
    () => true,
    () => false,
  )
}

function withDevice(rig: ReservationRig, device: string, program: string): ReservationRig {
  const fileSystems = [{ device, type: 'ext4', mountPoint: '', options: [] }]
  return { ...rig, group: { ...rig.group, fileSystems, reservation: { program } } as DiskGroup }
}
