/** Bans a call by the text of what is called, in the files that `where` matches and `except` does not. */
export interface BannedCall {
  /** Matches the whole callee as written: `Date.now`, `setTimeout`, `new Date` (for one without arguments). */
  readonly callee: RegExp
  readonly where: RegExp
  readonly except?: RegExp
  readonly instead: string
}

const production = /^src\//
const tests = /^test\//

/** The real effects are where the world comes in: the only callers of clocks, timers and random sources. */
const realEffects = /^src\/framework\/ports\/real-/
const effectsAndCommands = /^src\/(framework\/ports\/real-|cli\/)/
const simulator = /^test\/simulation\//

const aDate = 'effects.nowWallMs(), and only for people to read'
const waiting =
  'eventually(what, withinMs, probe) from test/eventually.ts: it waits for the value itself and says what it last saw'

/** The calls that no file may make, each with what to use instead. */
export const bannedCalls: readonly BannedCall[] = [
  { callee: /^(globalThis\.)?Date\.now$/, where: production, except: realEffects, instead: aDate },
  { callee: /^(new )?Date$/, where: production, except: realEffects, instead: aDate },
  {
    callee: /(^|\.)(performance\.now|process\.hrtime(\.bigint)?|process\.uptime|os\.uptime)$/,
    where: production,
    except: realEffects,
    instead: 'effects.nowMonotonicMs(), or effects.nowBootMs() where suspended time counts',
  },
  {
    callee: /^(Math\.random|(crypto\.)?(randomUUID|randomBytes|randomInt|getRandomValues))$/,
    where: production,
    except: realEffects,
    instead: 'effects.random(), so that a seed is a reproduction',
  },
  {
    callee: /^(exit|process\.(exit|reallyExit|abort))$/,
    where: production,
    instead: 'process.exitCode and return, throw a HaError, or assert: output is flushed and finally blocks run',
  },
  {
    callee: /^(globalThis\.)?(setTimeout|setInterval|AbortSignal\.timeout)$/,
    where: production,
    except: effectsAndCommands,
    instead: 'effects.sleep(ms, signal): the simulator can pass its time',
  },
  {
    callee: /^(globalThis\.)?console\.\w+$/,
    where: production,
    except: /^src\/cli\//,
    instead: 'the log that the caller hands in: one line per event, with the reconfiguration number',
  },
  {
    callee: /^(globalThis\.)?(setTimeout|setInterval|sleep|delay|setTimeoutPromise)$/,
    where: tests,
    except: simulator,
    instead: waiting,
  },
  {
    callee: /^(it|test|describe|suite)(\.\w+)*\.(skip|only|todo)(\.\w+)*$/,
    where: tests,
    instead: 'a test that runs; one that this machine cannot run says so with skipIf(condition), and is counted',
  },
]

/** Modules that are clocks or random sources under another name. */
export const bannedImports: readonly BannedCall[] = [
  {
    callee: /^(node:)?timers(\/promises)?$/,
    where: production,
    except: effectsAndCommands,
    instead: 'effects.sleep(ms, signal)',
  },
  { callee: /^(node:)?timers(\/promises)?$/, where: tests, except: simulator, instead: waiting },
]
