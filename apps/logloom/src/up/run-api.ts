import { cancelledQueries, connectApi, registerCancelMetric, runCancellable } from '@logloom/indexer';
import { commonOptions, respondWithErrors, type RunService } from '@logloom/runtime';
import fastify from 'fastify';
import { once } from 'node:events';
import type { ApiRequest, ApiResponse } from './thread-protocol.ts';
import type { Settings } from '../settings.ts';

export type AnswerApi = (request: ApiRequest, signal: AbortSignal) => Promise<ApiResponse>;

/** The search API as a service of its own thread: it listens on no port, requests come through `onAnswer`'s function. */
export function runApi(onAnswer: (answer: AnswerApi) => void): RunService<Settings> {
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
    onAnswer(async ({ method, url, authorization, address, body, cancelled }, gone) => {
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
        }),
      );
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(response.headers))
        if (value !== undefined) headers[name] = String(value);
      const route = routes.get(response.raw.req);
      return { route, status: response.statusCode, headers, body: response.body };
    });
    onReady();
    if (!signal.aborted) await once(signal, 'abort');
    await app.close();
  };
}
