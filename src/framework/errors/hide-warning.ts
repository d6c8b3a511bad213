/** What of `process` is needed. */
interface Warner {
  emitWarning: (typeof process)['emitWarning']
}

/** "Setting the TLS ServerName to an IP address is not permitted by RFC 6066". */
const SERVER_NAME_IS_ADDRESS = 'DEP0123'

/**
 * Keeps Node.js from telling the operator, once in each process, that a TLS server is named by its address; every other warning is told as before.
 *
 * The library that speaks with etcd (grpc-js) does so with an etcd that is configured by its address. Its option for another name
 * (`grpc.ssl_target_name_override`) would also be the name that the certificate is checked for: `localhost` is in those of all hosts, so that each could pass
 * itself off as any other. To be checked for its address is what we want, and the name that is sent means nothing to etcd.
 */
export function hideServerNameWarning(warner: Warner = process): void {
  const emit = warner.emitWarning as (...words: readonly unknown[]) => void
  warner.emitWarning = (...words: unknown[]): void => {
    if (!words.some(isServerName)) emit.apply(warner, words)
  }
}

/** The code of a warning is a word of its own, or in an object. */
function isServerName(word: unknown): boolean {
  if (typeof word !== 'object' || word === null) return word === SERVER_NAME_IS_ADDRESS
  return 'code' in word && word.code === SERVER_NAME_IS_ADDRESS
}
