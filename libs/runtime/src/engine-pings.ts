import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { EnginePing } from './engine-watch.ts';

/** Any answer counts, even a refusal: permissions do not matter here. */
export function pingHttp(url: string): EnginePing {
  const { origin } = new URL(url);
  return (signal) => fetch(origin, { method: 'HEAD', signal });
}

/** An inline PING, which Redis answers without a user, if only with NOAUTH. */
export function pingRedis(url: string): EnginePing {
  const { protocol, hostname, port } = new URL(url);
  return pingBytes(hostname, Number(port || 6379), protocol === 'rediss:', Buffer.from('PING\r\n'));
}

/**
 * `hello` in OP_MSG, which MongoDB answers without authentication; undefined if the hosts come from DNS. One of several hosts is enough:
 * the driver itself switches to another. Source: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol
 */
export function pingMongo(url: string): EnginePing | undefined {
  const hosts = /^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1];
  if (hosts === undefined) return undefined;
  const isTls = /[?&](?:tls|ssl)=true/.test(url);
  const pings = hosts.split(',').map((host) => {
    const { hostname, port } = new URL(`mongodb://${host}`);
    return pingBytes(hostname, Number(port || 27_017), isTls, helloRequest());
  });
  return (signal) => Promise.any(pings.map((ping) => ping(signal)));
}

function helloRequest(): Buffer {
  const document = Buffer.from('\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0', 'latin1');
  const head = Buffer.alloc(21);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(2013, 12);
  return Buffer.concat([head, document]);
}

function pingBytes(host: string, port: number, isTls: boolean, request: Buffer): EnginePing {
  return (signal) =>
    new Promise<void>((resolve, reject) => {
      const plainHost = host.replace(/^\[|\]$/g, '');
      const send = (): void => void socket.write(request);
      // Nothing secret is sent, and the answer is not trusted.
      const socket = isTls
        ? connectTls({ host: plainHost, port, rejectUnauthorized: false }, send)
        : connect({ host: plainHost, port }, send);
      socket.unref();
      const stop = (): void => void socket.destroy(new Error('stopped'));
      signal.addEventListener('abort', stop, { once: true });
      socket.once('data', () => {
        signal.removeEventListener('abort', stop);
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
    });
}
