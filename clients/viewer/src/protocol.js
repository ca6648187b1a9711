// @ts-check
/**
 * What goes over the wire (`logloom.v1`): the types only.
 *
 * @typedef {'events' | 'correlations'} StreamName
 * @typedef {'now' | { cursor: string } | { tail: number } | { last: string }} From where a subscription starts: the newest, after
 *   a cursor, the last n that match, or the last `5m`, `2h`, ...
 *
 * @typedef {object} Wanted
 * @property {string} [filter] Lucene syntax; default: everything
 * @property {StreamName} [stream] default: events
 * @property {From} [from] default: now; with `durable` where the name stands
 * @property {string} [durable] a name under which the server stores what was acknowledged, even while no viewer is connected
 * @property {'low' | 'normal' | 'high'} [priority] among this viewer's subscriptions, when it is too slow for all; default normal
 *
 * @typedef {object} LogEvent
 * @property {string} id
 * @property {string} timestamp RFC 3339 with microseconds
 * @property {'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'} level
 * @property {string} service
 * @property {string} [host]
 * @property {string} message
 * @property {string} [correlationId]
 * @property {string} [correlationKind]
 * @property {string} [traceId]
 * @property {string} [spanId]
 * @property {Record<string, unknown>} attributes
 * @property {number} partition
 * @property {number} offset
 *
 * @typedef {object} Correlation a request's document; what else the server sends is there too
 * @property {string} id
 * @property {string} correlationId
 * @property {string} kind
 * @property {number} revision
 * @property {string} [closeReason] absent for a token with an imposed filter
 * @property {string} firstAt
 * @property {string} lastAt
 * @property {number} durationMs
 * @property {number} eventCount
 * @property {string[]} services
 * @property {Record<string, number>} levels
 * @property {number} errorCount
 * @property {string[]} rules
 * @property {string} [severity]
 * @property {number} partition
 * @property {number} firstOffset
 * @property {number} closeOffset
 * @property {number[]} members
 *
 * @typedef {{ from: string, to: string, missed: number, reason: string }} Gap events between two cursors that were not sent;
 *   `missed` is exact for the reason `slow`
 * @typedef {{ mode: 'full' | 'sampled' | 'counts', counts: Record<string, number> }} Mode how much the server sends
 * @typedef {{ code: string, message: string, id?: string, position?: number }} Refusal `position`: where in the filter, in UTF-16 units
 *
 * @typedef {{ type: 'hello', protocol: number, heartbeatMs: number, maxPayload: number }
 *   | { type: 'subscribed', id: string, channel: number, cursor: string, resumed: boolean }
 *   | { type: 'events', channel: number, cursor: string, events: LogEvent[] }
 *   | { type: 'correlations', channel: number, cursor: string, correlations: Correlation[] }
 *   | { type: 'acked', id: string, cursor: string }
 *   | { type: 'gap', channel: number } & Gap
 *   | { type: 'mode', channel: number } & Mode
 *   | { type: 'heartbeat' }
 *   | { type: 'error' } & Refusal
 *   | { type: 'goodbye', reason: string, retryAfterMs: number }} ServerMessage
 */

export const subprotocol = 'logloom.v1';
