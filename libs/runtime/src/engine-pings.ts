import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { EnginePing } from './engine-watch.ts';

/**
 * Any response counts, also a refusal: the ping only asks whether the server answers. Any of several addresses, comma-separated, will
 * do: the client itself goes to another.
 */
export function pingHttp(urls: string): EnginePing {
  const pings = urls.split(',').map((url) => {
    const { protocol, hostname, port } = new URL(url.trim());
    const isTls = protocol === 'https:';
    const request = Buffer.from(`HEAD / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
    return pingBytes(hostname, Number(port || (isTls ? 443 : 80)), isTls, request);
  });
  return (signal) => Promise.any(pings.map((ping) => ping(signal)));
}

/** An inline PING, which Redis answers without a user, if only with NOAUTH. Any of several hosts will do; they may be sentinels. */
export function pingRedis(url: string, defaultPort = 6379): EnginePing {
  const [, protocol, hosts = ''] = /^(rediss?):\/*(?:[^@/]*@)?([^/?#]+)/.exec(url) ?? [];
  const pings = hosts.split(',').map((host) => {
    const { hostname, port } = new URL(`redis://${host}`);
    return pingBytes(hostname, Number(port || defaultPort), protocol === 'rediss', Buffer.from('PING\r\n'));
  });
  return (signal) => Promise.any(pings.map((ping) => ping(signal)));
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
      const answered = (): void => {
        signal.removeEventListener('abort', stop);
        socket.destroy();
        resolve();
      };
      socket.once('data', answered);
      // A server that wants a client certificate says so in an alert: it answers.
      socket.once('error', (error: NodeJS.ErrnoException) =>
        /^ERR_SSL_.*ALERT/.test(error.code ?? '') ? answered() : reject(error),
      );
    });
}
