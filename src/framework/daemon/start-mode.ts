/** What a host does when its clustd starts: `found` begins a cluster that has no living member, `join` joins one that has. */
export type StartMode = 'found' | 'join'

/**
 * What whoever starts clustd asks for. `auto`: join when a member gives a sign of life, else found; for the start of a machine, so that a cluster whose
 * hosts all lost their power comes back by itself. It never begins a cluster that was never started by hand.
 */
export type StartWish = StartMode | 'auto'
