/** Whether this is the whole of the tests (`npm test`). The check before every commit leaves the further variants of what it tests to that. */
export const isWhole: boolean = process.env['HAVEN_TEST_WHOLE'] === '1'
