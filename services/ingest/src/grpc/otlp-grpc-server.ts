import { openPort } from '../open-port.ts';
import type { Receiver } from '../pipeline/receiver.ts';
import { createGrpcServer } from './grpc-server.ts';

/** OTLP/gRPC on a port of its own. Off where OTLP_GRPC_PORT is 0. */
export const otlpGrpcServer: Receiver = async ({ settings, http, connections, telemetry }) =>
  openPort('OTLP_GRPC_PORT', settings, telemetry.logger, async (port) => {
    const { app, server, drain } = createGrpcServer(http);
    connections.http2(server);
    await app.listen({ host: settings.HOST, port });
    return drain;
  });
