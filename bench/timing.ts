import { spawn } from 'node:child_process'

/** Milliseconds that some work took. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

/** Does the same several times, one after the other, and returns what each time gave. */
export async function repeat<Value>(times: number, work: (round: number) => Promise<Value>): Promise<readonly Value[]> {
  const values: Value[] = []
  for (let round = 0; round < times; round += 1) values.push(await work(round))
  return values
}

/** Waits a moment. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Runs a program without input and output. Rejects unless it ends with 0. */
export function runProgram(
  program: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: environment })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ${words.join(' ')} ended with ${code}:\n${said}`))
    })
  })
}

/** Runs the smallest program of all, `/bin/sh -c :`, as often as told, so many side by side: what no implementation in Node.js can be faster than. */
export async function spawnShells(count: number, sideBySide = 1): Promise<void> {
  let left = count
  const runSome = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await new Promise<void>((resolve, reject) => {
        const child = spawn('/bin/sh', ['-c', ':'], { stdio: 'ignore' })
        child.on('error', reject)
        child.on('exit', () => resolve())
      })
    }
  }
  await Promise.all(Array.from({ length: sideBySide }, runSome))
}
