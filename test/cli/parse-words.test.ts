import { describe, expect, it } from 'vitest'
import { chooseForm } from '../../src/cli/command/choose-form.ts'
import { defineCommand, formsOf } from '../../src/cli/command/define-command.ts'
import { parseWords } from '../../src/cli/command/parse-words.ts'
import { suggest } from '../../src/cli/command/suggest.ts'

const options = {
  name: { kind: 'text', letter: 'r', value: 'NAME', describe: 'a name' },
  pairs: { kind: 'pairs', letter: 'm', value: 'A=B', describe: 'pairs' },
  list: { kind: 'list', letter: 'h', value: 'X', describe: 'a list' },
  lists: { kind: 'lists', letter: 'i', value: 'X,...', describe: 'lists' },
  texts: { kind: 'texts', long: 'define', value: 'X', describe: 'texts' },
  count: { kind: 'count', letter: 'l', long: 'limit', value: 'N', describe: 'a number' },
  flag: { kind: 'flag', letter: 's', describe: 'a flag' },
  open: { kind: 'text', letter: 'f', value: 'F', valueOptional: true, describe: 'may stand alone' },
} as const

const all = Object.keys(options) as (keyof typeof options)[]
const sample = defineCommand({
  name: 'sample',
  summary: 'be a sample',
  description: [],
  options,
  examples: [],
  forms: [
    formsOf(options)({
      summary: 'take everything',
      optional: all,
      words: [
        { name: 'first', value: 'FIRST', describe: 'one', optional: true },
        { name: 'rest', value: 'REST', describe: 'more', optional: true, many: true },
      ],
      run: async () => 0,
    }),
  ],
})

const read = (...argv: string[]) => chooseForm(sample, parseWords(sample, argv)).given

describe('a command line', () => {
  it('gives every option its kind of value, and false or undefined to those that are not there', () => {
    expect(read('-r', 'web', '-s', '-l', '30').options).toEqual({
      name: 'web',
      flag: true,
      count: 30,
      pairs: undefined,
      list: undefined,
      lists: undefined,
      texts: undefined,
      open: undefined,
    })
    expect(read().options).toMatchObject({ flag: false, name: undefined })
  })

  it('may join letters, and letters with values, as getopt does', () => {
    expect(read('-rweb').options['name']).toBe('web')
    expect(read('-srweb').options).toMatchObject({ flag: true, name: 'web' })
    expect(read('--limit=7').options['count']).toBe(7)
  })

  it('separates pairs only where a name follows, so that a path may hold commas', () => {
    expect(read('-m', 'START=/a,b/start,STOP=/c').options['pairs']).toEqual({ START: '/a,b/start', STOP: '/c' })
    expect(read('-m', 'START=/a', '-m', 'STOP=/c=d').options['pairs']).toEqual({ START: '/a', STOP: '/c=d' })
  })

  it('reads lists, the empty one included, and repeated ones', () => {
    expect(read('-h', 'a, b,,c').options['list']).toEqual(['a', 'b', 'c'])
    expect(read('-h', '').options['list']).toEqual([])
    expect(read('-i', 'eth0,eth0,10.0.0.1/24', '-i', 'x,y').options['lists']).toEqual([
      ['eth0', 'eth0', '10.0.0.1/24'],
      ['x', 'y'],
    ])
    expect(read('--define', 'a,b', '--define', 'c').options['texts']).toEqual(['a,b', 'c'])
  })

  it('lets an option stand at the end without a value only where that means something', () => {
    expect(read('-f').options['open']).toBe('')
    expect(() => read('-r')).toThrow('-r needs a value: NAME')
    expect(() => read('-r', '-s')).toThrow('-r needs a value: NAME')
    expect(read('-r=-s').options['name']).toBe('=-s')
  })

  it('takes words in their order, after -- whatever they look like', () => {
    expect(read('a', '-s', 'b', '--', '-c').words).toEqual({ first: 'a', rest: ['b', '-c'] })
    expect(read().words).toEqual({ first: undefined, rest: [] })
    expect(() => read('')).toThrow('FIRST is empty')
  })

  it('refuses numbers that are none', () => {
    for (const text of ['1.5', '1e3', '', ' 1', '9999999999']) expect(() => read('-l', text)).toThrow('whole number')
  })
})

describe('a suggestion', () => {
  it('is the nearest word, and none when nothing is near', () => {
    expect(suggest('stopnod', ['startnode', 'stopnode'])).toBe('stopnode')
    expect(suggest('hsitory', ['history', 'timeline'])).toBe('history')
    expect(suggest('database', ['history', 'timeline'])).toBeUndefined()
    expect(suggest('x', ['a', 'b'])).toBeUndefined()
  })
})
