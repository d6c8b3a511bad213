/** Writes a duration for people: `8 ms`, `0.42 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function writeDuration(ms: number): string {
  if (ms < 0) return `-${writeDuration(-ms)}`
  if (ms < 99.5) return `${Math.round(ms)} ms`
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 2 * 24 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
}

/** Writes a limit, which is mostly a whole number of seconds: `60 s`, `400 ms`. */
export function writeLimit(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : writeDuration(ms)
}

/** Writes a wall clock in local time: `2026-07-24 13:02:11`. */
export function writeTime(wallMs: number): string {
  const at = new Date(wallMs)
  const day = [at.getFullYear(), pad(at.getMonth() + 1), pad(at.getDate())].join('-')
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(pad).join(':')}`
}

function pad(part: number): string {
  return String(part).padStart(2, '0')
}
