/** The cases, as kind/id, that are not read right. The one with zeros in front wants the request id before the trace id, against the default of CORRELATION_ID_ORDER. */
export const notYet: readonly string[] = ['placeholder-ids/placeholder-zeros-in-front'];
