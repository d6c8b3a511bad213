import type { Command } from '../command/define-command.ts'

/** Loads the definition of a command, and with it no other one: each is a chunk of its own, so that haget starts fast. */
export const COMMAND_LOADERS = {
  haget: async () => (await import('./haget.ts')).haget,
  hareg: async () => (await import('./hareg.ts')).hareg,
  hastat: async () => (await import('./hastat.ts')).hastat,
  haswitch: async () => (await import('./haswitch.ts')).haswitch,
  pnmset: async () => (await import('./pnmset.ts')).pnmset,
  pnmstat: async () => (await import('./pnmstat.ts')).pnmstat,
  scadmin: async () => (await import('./scadmin.ts')).scadmin,
  scconf: async () => (await import('./scconf.ts')).scconf,
} as const satisfies Record<string, () => Promise<Command>>

/** A command that there is. */
export type CommandName = keyof typeof COMMAND_LOADERS

/** Tells whether there is a command of that name. */
export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMAND_LOADERS, name)
}
