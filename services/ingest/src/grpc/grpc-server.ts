import fastify, { type FastifyInstance } from 'fastify';
import type { Http2Server, ServerHttp2Session, ServerOptions } from 'node:http2';
import { once } from 'node:events';
import { commonOptions } from '@logloom/runtime';
import { IngestError } from '../errors.ts';
import { guardSenders, handleErrors, type HttpServerOptions } from '../http/http-server.ts';
import type { HttpReceiverContext } from '../http/http-receiver.ts';
import { createOwnProducer } from '../producers/producer.ts';
import { sendGrpcError } from './grpc-response.ts';
import { otlpGrpcReceiver } from './otlp-grpc-receiver.ts';

/** Calls that are under way on one connection. */
const maxCalls = 100;
/** What a connection may send before we read it, for all its calls together and for one. */
const windowBytes = 2 ** 20;
/** Frames and headers of a client that only keeps the server busy. */
const maxInvalidFrames = 100;
const maxHeaderBytes = 16 * 1024;
/** A connection without a call is kept this long; clients send pings to keep theirs. */
const idleMs = 3_600_000;
/** A call that is still arriving this long after the signal is cut off. It had no response, so nothing of it was promised. */
const drainMs = 20_000;

const http2Options: ServerOptions = {
  settings: { maxConcurrentStreams: maxCalls, initialWindowSize: windowBytes, enablePush: false },
  maxSessionInvalidFrames: maxInvalidFrames,
  maxSendHeaderBlockLength: maxHeaderBytes,
};

export interface GrpcServer {
  app: FastifyInstance;
  /** The server of `app`, as it is. */
  server: Http2Server;
  /** Once the signal aborts: refuses new calls, finishes those in work, closes. */
  drain: (signal: AbortSignal) => Promise<void>;
}

/**
 * Returns the server of OTLP/gRPC: HTTP/2 without TLS. Its calls are requests like those over HTTP, with the same keys, quotas and limits. It
 * does not listen yet.
 */
export function createGrpcServer(options: Omit<HttpServerOptions, 'receivers'>): GrpcServer {
  const { settings } = options;
  const app = fastify({
    ...commonOptions,
    logger: false,
    return503OnClosing: false,
    http2: true,
    http2SessionTimeout: idleMs,
    http: http2Options,
  } as object) as unknown as FastifyInstance;
  const server = app.server as unknown as Http2Server;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  handleErrors(app, options, sendGrpcError);
  app.setNotFoundHandler(() => {
    throw new IngestError('not-found', 'there is no such service, or no such method');
  });
  app.decorateRequest('ingestKey', undefined);
  guardSenders(app, { ...options, receivers: [] });
  const context: HttpReceiverContext = {
    ...options,
    ownProducer: createOwnProducer(),
    reservedNames: new Set(),
  };
  otlpGrpcReceiver.register(app, context);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream) => {
    const cut = setTimeout(() => stream.close(), settings.INGEST_REQUEST_MS);
    const arrived = (): void => clearTimeout(cut);
    stream.once('end', arrived);
    stream.once('close', arrived);
    stream.on('error', () => {});
  });
  const drain = async (signal: AbortSignal): Promise<void> => {
    if (!signal.aborted) await once(signal, 'abort');
    for (const session of sessions) session.close();
    const cut = setTimeout(() => {
      for (const session of sessions) session.destroy();
    }, drainMs);
    await app.close();
    clearTimeout(cut);
  };
  return { app, server, drain };
}
