// @ts-check
/**
 * @typedef {object} LineBatch
 * @property {string[]} lines JSON objects, one each
 * @property {string} producer
 * @property {number} sequence the first line's number among the producer's
 *
 * @typedef {object} Rejection
 * @property {number} line index in the batch
 * @property {string} code
 * @property {string} message
 *
 * @typedef {object} Sender
 * @property {(batch: LineBatch) => Promise<Rejection[]>} send resolves when the batch is durable, with what was refused for good; rejects
 *   with SendError when it is to be sent again
 * @property {() => Promise<void>} close
 *
 * @typedef {object} SenderOptions
 * @property {string} [url] Logloom's ingest port; default http://127.0.0.1:4318
 * @property {string | (() => string | Promise<string>)} [token] for a Logloom that asks for one: `Authorization: Bearer`
 * @property {Record<string, string>} [headers] more headers for each request
 * @property {boolean} [gzip] default true
 * @property {number} [requestTimeoutMs] default 30,000
 * @property {KafkaOptions} [kafka] instead of HTTP
 *
 * @typedef {object} KafkaOptions what kafkajs' `new Kafka()` takes, and
 * @property {string[]} brokers
 * @property {string} [topic] default logs.raw
 */
export {};
