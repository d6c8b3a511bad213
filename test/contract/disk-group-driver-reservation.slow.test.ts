import { describeDiskGroupDriver } from './disk-group-driver.contract.ts'
import { missingForReservations, ReservationRigs } from './disk-group-driver-reservation.ts'

const rigs = new ReservationRigs()

describeDiskGroupDriver('filesystem, ext4 on a reserved SCSI disk', {
  skip: await missingForReservations(),
  start: () => rigs.start(),
  rig: () => rigs.make(),
  stop: () => rigs.stop(),
})
