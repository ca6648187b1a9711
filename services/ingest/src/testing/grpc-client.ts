import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { grpcMessage } from '../grpc/grpc-message.ts';

export const logsPath = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
export const tracesPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export interface GrpcResult {
  /** HTTP's. */
  httpStatus: number;
  /** gRPC's status and message, from the trailers, or from the headers where there are no trailers. */
  status: string | undefined;
  message: string;
  details: string | undefined;
  /** The response's message with its prefix. */
  body: Buffer;
}

/** A client of unary calls that also sends what a library would not. */
export class GrpcClient implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on('error', () => {});
  }

  /** Sends a message, or the bytes as they are where they have their prefix already. */
  async call(
    path: string,
    message: Buffer,
    { headers = {}, isFramed = false }: { headers?: Record<string, string>; isFramed?: boolean } = {},
  ): Promise<GrpcResult> {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const parts: Buffer[] = [];
    stream.on('response', (given) => (head = given));
    stream.on('trailers', (given: IncomingHttpHeaders) => (trailers = given));
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.end(isFramed ? message : grpcMessage(message));
    await once(stream, 'close');
    const all = { ...head, ...trailers };
    const textOf = (name: string): string | undefined => {
      const value = all[name];
      return typeof value === 'string' ? value : undefined;
    };
    return {
      httpStatus: Number(head[':status']),
      status: textOf('grpc-status'),
      message: decodeURIComponent(textOf('grpc-message') ?? ''),
      details: textOf('grpc-status-details-bin'),
      body: Buffer.concat(parts),
    };
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}
