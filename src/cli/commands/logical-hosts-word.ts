/** The logical hosts that a form moves. */
export const LOGICAL_HOSTS_WORD = {
  name: 'logicalHosts',
  value: 'LOGICALHOST',
  describe: 'the logical hosts',
  many: true,
  completes: 'logical-host',
} as const
