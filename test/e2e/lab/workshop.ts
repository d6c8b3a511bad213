/** Whether the files of a test run stay for somebody who wants to read its logs: `HAVEN_E2E_KEEP=1 npx vitest run --project e2e`. */
export const isKept = (process.env['HAVEN_E2E_KEEP'] ?? '') !== ''
