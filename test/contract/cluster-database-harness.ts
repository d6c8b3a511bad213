import type { ClusterDatabase } from '../../src/framework/ports/cluster-database.ts'

/** One empty database, and a way for any number of clients to reach it. */
export interface DatabaseHarness {
  connect(): Promise<ClusterDatabase>
  /** Closes what is open and removes everything. */
  end(): Promise<void>
}

/** How a database is made for one test. */
export type MakeHarness = () => Promise<DatabaseHarness>
