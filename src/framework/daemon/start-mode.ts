/** `found`: begins a cluster that has no living member. `join`: joins one that has. */
export type StartMode = 'found' | 'join'
