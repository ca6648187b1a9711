import type { ISocketFactory } from 'kafkajs';
import { metadataApi, metadataRequest, readMetadata, type ClusterMetadata } from './cluster-metadata.ts';
import {
  BrokerClass,
  ConnectionPoolClass,
  EncoderClass,
  errorFromCode,
  silentLogger,
  type Broker,
} from './internals.ts';
import type { KafkaSettings } from './options.ts';
import { splitAddress } from './ping.ts';

/** SaslHandshake; its answer begins with an error's code. */
const handshakeApi = { apiKey: 17, apiVersion: 1, apiName: 'SaslHandshake' };
const illegalSaslState = 34;

/** One broker, whatever the cluster: connected and logged in when it is first asked. Every call throws kafkajs's errors. */
export class BrokerClient {
  readonly #broker: Broker;
  readonly #sockets = new Set<ReturnType<ISocketFactory>>();

  /** An answer may take `answerMs`. */
  constructor({ security, clientId }: KafkaSettings, address: string, answerMs: number) {
    const [host, port] = splitAddress(address);
    const pool = new ConnectionPoolClass({
      host,
      port,
      clientId,
      logger: silentLogger,
      sasl: security.sasl,
      connectionTimeout: answerMs,
      requestTimeout: answerMs,
      enforceRequestTimeout: true,
      socketFactory: ({ host, port, onConnect }) => {
        const socket = security.connect(host, port, onConnect);
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        // It must not keep the process alive.
        return socket.unref();
      },
    });
    this.#broker = new BrokerClass({ connectionPool: pool, logger: silentLogger });
  }

  /** Connects and logs in; also finds out that the broker wants a login where there is none. */
  async logIn(): Promise<void> {
    await this.#broker.connect();
    if (this.#broker.connectionPool.sasl === undefined) await this.#expectNoSasl();
  }

  async metadata(topics: readonly string[]): Promise<ClusterMetadata> {
    await this.#broker.connect();
    const metadata = await this.#send(metadataApi, metadataRequest(topics), readMetadata);
    return metadata as ClusterMetadata;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('the client was closed'));
    void this.#broker.disconnect().catch(() => {});
  }

  /** Only a broker that wants SASL on this port answers a handshake with anything but an illegal state. */
  async #expectNoSasl(): Promise<void> {
    const mechanism = Buffer.from([0, 1, 63]);
    const code = await this.#send(handshakeApi, mechanism, (data) => data.readInt16BE(0));
    if (code !== illegalSaslState)
      throw Object.assign(errorFromCode(code as number), { type: 'SASL_WANTED' });
  }

  #send(
    api: { apiKey: number; apiVersion: number; apiName: string },
    body: Buffer,
    read: (data: Buffer) => unknown,
  ): Promise<unknown> {
    return this.#broker.connectionPool.send({
      request: {
        ...api,
        encode: async () => {
          const encoder = new EncoderClass();
          encoder.writeBufferInternal(body);
          return encoder;
        },
      },
      response: { decode: async (data) => read(data), parse: async (result) => result },
    });
  }
}
