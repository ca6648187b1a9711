import { cancelledQueries, connectApi, registerCancelMetric, runCancellable } from '@logloom/indexer';
import { commonOptions, respondWithErrors, type RunService } from '@logloom/runtime';
import fastify from 'fastify';
import { once } from 'node:events';
import { OpenStreams } from './open-streams.ts';
import type { ApiPart, ApiRequest, ApiResponse } from './thread-protocol.ts';
import type { Settings } from '../settings.ts';

export interface ApiAnswers {
  answer: (request: ApiRequest, signal: AbortSignal) => Promise<ApiResponse>;
  /** The next part of a streamed response. */
  read: (stream: number) => Promise<ApiPart>;
  /** Nobody reads the rest of it. */
  close: (stream: number) => void;
}

/** What is streamed: it may be larger than memory. */
const streamed = /^\/api\/(?:export|sql)(?:[?]|$)/;

/** The search API as a service of its own thread: it listens on no port, requests come through `onAnswers`'s functions. */
export function runApi(onAnswers: (answers: ApiAnswers) => void): RunService<Settings> {
  return async ({ settings, telemetry, signal, onReady }) => {
    // Requests have passed admission control already (viewers-server.ts).
    const app = fastify({ ...commonOptions, logger: false });
    respondWithErrors(app, (err) => telemetry.logger.error({ err }, 'a search failed'));
    await connectApi(
      app,
      settings,
      (error) => telemetry.logger.error({ err: error }, 'a search failed'),
      telemetry,
    );
    const routes = new WeakMap<object, string>();
    app.addHook('onRequest', (request, _reply, next) => {
      const { url } = request.routeOptions;
      if (url !== undefined) routes.set(request.raw, url);
      next();
    });
    await app.ready();
    registerCancelMetric(telemetry, cancelledQueries);
    const streams = new OpenStreams();
    const answer: ApiAnswers['answer'] = async (request, gone) => {
      const { method, url, authorization, address, body, cancelled } = request;
      const isStreamed = streamed.test(url);
      const cancellation = {
        get aborted() {
          return gone.aborted || Atomics.load(cancelled, 0) !== 0;
        },
        signal: gone,
      };
      const response = await runCancellable(cancellation, () =>
        app.inject({
          method: method as 'GET',
          url,
          ...(address === undefined ? {} : { remoteAddress: address }),
          headers: {
            ...(authorization === undefined ? {} : { authorization }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { payload: body }),
          payloadAsStream: isStreamed,
        }),
      );
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(response.headers))
        if (value !== undefined) headers[name] = String(value);
      const route = routes.get(response.raw.req);
      const common = { route, status: response.statusCode, headers };
      if (!isStreamed) return { ...common, body: response.body };
      const { bytes, ...rest } = await streams.begin(response.stream(), response.raw.res);
      // The server that sends it knows how.
      for (const name of ['transfer-encoding', 'connection', 'content-length']) delete headers[name];
      return { ...common, body: bytes, ...rest };
    };
    onAnswers({
      answer,
      read: (stream) => streams.read(stream),
      close: (stream) => streams.close(stream),
    });
    onReady();
    if (!signal.aborted) await once(signal, 'abort');
    await app.close();
  };
}
