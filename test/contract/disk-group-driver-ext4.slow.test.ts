import { describeFileSystemDriver } from './disk-group-driver-filesystem.ts'

await describeFileSystemDriver('ext4')
