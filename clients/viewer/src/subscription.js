// @ts-check
/**
 * @import { Gap, Mode, Refusal, Wanted } from './protocol.js'
 * @import { Taken } from './item-cursor.js'
 *
 * @typedef {{ before: string, taken: Taken }} Place where a batch begins
 *
 * @typedef {object} Handlers
 * @property {() => void} [onSubscribed] the server took the subscription (again)
 * @property {(items: any[], cursor: string, place: Place) => void} onItems events or correlations, in the server's order; everything
 *   up to `cursor` is then received
 * @property {(gap: Gap) => void} [onGap] what was not sent, exactly
 * @property {(mode: Mode) => void} [onMode]
 * @property {(cursor: string) => void} [onAcked] the server has stored it: a durable subscription continues there
 * @property {(message: string) => void} [onRestart] the server could not continue at the cursor; events in between are unknown
 * @property {(error: Refusal) => void} [onError] refused; it is over
 *
 * @typedef {object} Subscription
 * @property {() => string | undefined} cursor everything up to here has been received
 * @property {(cursor?: string) => void} ack tells the server that everything up to a cursor (default: everything received) is processed
 * @property {() => void} pause stops the server's sending; nothing is lost
 * @property {() => void} resume continues at the cursor
 * @property {() => void} close
 *
 * @typedef {object} Subscriber what a subscription is taken from: a LiveClient
 * @property {(wanted: Wanted, handlers: Handlers) => Subscription} subscribe
 */
export {};
