// @ts-check
import { createHttpSender } from './http-sender.js';
import { createKafkaSender } from './kafka-sender.js';

/** @import { Sender, SenderOptions } from './sender.js' */

/** @param {SenderOptions} options @returns {Sender} */
export function createSender(options) {
  return options.kafka === undefined ? createHttpSender(options) : createKafkaSender(options.kafka);
}
