import { describe, expect, it } from 'vitest'
import { decideClusterFile } from '../../../src/framework/configure/cluster-file-decide.ts'
import { parseClusterFile } from '../../../src/framework/configure/cluster-file-parse.ts'
import { writeClusterFile } from '../../../src/framework/configure/cluster-file-write.ts'
import { parseDiskGroup } from '../../../src/framework/configure/parse-disk-group.ts'
import { diskGroupShape } from '../../../src/framework/records/config-shapes.ts'
import { demo, refusal } from './fixture.ts'

const FILE_SYSTEM = 'filesystem:/dev/vdb:ext4'

describe('a disk group with reservations', () => {
  it('is written with scconf, kept in its record, and read from the cluster file that is exported', () => {
    for (const [word, program] of [
      ['reservation:scsi-3', 'sg_persist'],
      ['reservation:scsi-3:/usr/bin/mpathpersist', '/usr/bin/mpathpersist'],
    ] as const) {
      const group = parseDiskGroup('dg9', [FILE_SYSTEM.replace('vdb', 'vdc'), word])
      expect(group).toMatchObject({ kind: 'filesystem', reservation: { program } })
      expect(diskGroupShape.parse(JSON.parse(JSON.stringify(group)))).toEqual(group)
      const state = { ...demo, diskGroups: new Map([...demo.diskGroups, [group.name, group]]) }
      const file = parseClusterFile(writeClusterFile(state), 'c.yaml')
      expect(decideClusterFile(file, state, true)).toEqual({ changes: [], requests: [], kept: [] })
    }
  })

  it('has none unless it says so', () => {
    expect(parseDiskGroup('dg9', [FILE_SYSTEM])).not.toHaveProperty('reservation')
  })

  it.each([
    [['reservation:scsi-3']],
    [[FILE_SYSTEM, 'reservation:scsi-2']],
    [[FILE_SYSTEM, 'reservation:scsi-3:/a:/b']],
    [['directory:/srv/dg9', 'reservation:scsi-3']],
    [['reservation:scsi-3', FILE_SYSTEM]],
  ])('is not defined by %j', (words) => {
    expect(refusal(() => parseDiskGroup('dg9', words)).code).toBe('CONFIG_INVALID')
  })

  it.each([
    ['{directory: /srv/dg9, reservation: scsi-3}', 'cannot be reserved'],
    ['{filesystems: [{device: /dev/vdc, type: ext4}], reservation: {program: persist}}', "'persist' cannot be"],
    ['{filesystems: [{device: /dev/vdc, type: ext4}], reservation: scsi-2}', 'expected scsi-3'],
  ])('is not described by %s', (entry, why) => {
    const text = `cluster: {name: demo}\ndiskGroups:\n  dg9: ${entry}\n`
    const { details } = refusal(() => decideClusterFile(parseClusterFile(text, 'c.yaml'), demo, false))
    expect(details.join('\n')).toContain(why)
  })
})
