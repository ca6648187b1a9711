import { isPlaceholderId } from '@logloom/schemas';

const hex = /^[0-9a-f]+$/;
const anyHex = /^(?:0[xX])?([0-9a-fA-F]{16}|[0-9a-fA-F]{32})$/;
const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
/** AWS X-Ray: version, seconds, and the rest of the id; AWS' SDKs add a span. */
const xray = /^1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})(?:@[0-9a-fA-F]{16})?$/;
const googleCloud = /^projects\/[^/]{1,128}\/traces\/([0-9a-fA-F]{32})$/;
const decimal = /^\d{1,39}$/;
/** Sixteen bytes, as protobuf's JSON writes them. */
const base64 = /^[A-Za-z0-9+/]{22}==$/;
const base64Span = /^[A-Za-z0-9+/]{11}=$/;
const longDigits = 17;

/**
 * Returns the one form of a trace id, the W3C's: 32 hexadecimal digits in lower case, with zeros in front of an id of 64 bits. Reads the
 * W3C's, B3's, X-Ray's, Google Cloud's, Datadog's decimal ids and base64. An id of another kind stays as it is.
 */
export function canonicalTraceId(id: string, isDecimal = false): string {
  if (id.length === 32 && hex.test(id)) return id;
  return hexOf(id, isDecimal)?.padStart(32, '0') ?? id;
}

function hexOf(id: string, isDecimal: boolean): string | undefined {
  const number = hexOfNumber(id, isDecimal);
  if (number !== undefined) return number;
  if (uuid.test(id)) return id.replaceAll('-', '').toLowerCase();
  const amazon = xray.exec(id);
  if (amazon !== null) return `${amazon[1]}${amazon[2]}`.toLowerCase();
  const cloud = googleCloud.exec(id);
  if (cloud !== null) return cloud[1]!.toLowerCase();
  return base64.test(id) ? Buffer.from(id, 'base64').toString('hex') : undefined;
}

function hexOfNumber(id: string, isDecimal: boolean): string | undefined {
  const isHex = anyHex.exec(id);
  if (decimal.test(id) && (isDecimal || (id.length >= longDigits && isHex === null)))
    return BigInt(id).toString(16);
  return isHex?.[1]!.toLowerCase();
}

/** Returns the one form of a span id: 16 hexadecimal digits in lower case. An id of another kind stays as it is. */
export function canonicalSpanId(id: string, isDecimal = false): string {
  if (id.length === 16 && hex.test(id)) return id;
  const number = hexOfNumber(id, isDecimal);
  if (number !== undefined) return number.padStart(16, '0');
  return base64Span.test(id) ? Buffer.from(id, 'base64').toString('hex') : id;
}

/** Whether a text is a trace id in one of the forms that canonicalTraceId() reads. */
export function looksLikeTraceId(text: string): boolean {
  return hexOf(text, false) !== undefined;
}

/** The ids in a header; `traceId` undefined where it holds none. */
export interface TraceContext {
  traceId: string | undefined;
  spanId: string | undefined;
}

const forms: readonly RegExp[] = [
  // W3C Trace Context, version-traceid-parentid-flags. Later versions may add parts.
  /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/i,
  // B3 in one header, and Sentry's.
  /^([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-|$)/i,
  // Jaeger: trace, span, parent, flags.
  /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}$/i,
  // Google Cloud: trace, span in decimals, options.
  /^([0-9a-f]{32})(?:\/(?<decimal>\d{1,20}))?(?:;|$)/i,
  // AWS SDKs: an X-Ray id and a span.
  /^(1-[0-9a-f]{8}-[0-9a-f]{24})(?:@([0-9a-f]{16}))?$/i,
];
const root = /(?:^|;) ?Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/i;
const parent = /(?:^|;) ?Parent=([0-9a-f]{16})(?:;|$)/i;

/** Reads the value of one of `traceHeaders`. */
export function readTraceHeader(value: string): TraceContext | undefined {
  const amazon = root.exec(value);
  const match = amazon === null ? first(value) : undefined;
  const traceId = amazon?.[1] ?? match?.[1];
  if (traceId === undefined) return undefined;
  const spanId = amazon === null ? match?.[2] : parent.exec(value)?.[1];
  return {
    traceId: present(padded(traceId)),
    spanId: spanId === undefined ? undefined : presentSpan(spanId, match?.groups?.['decimal'] !== undefined),
  };
}

function first(value: string): RegExpExecArray | undefined {
  for (const form of forms) {
    const match = form.exec(value);
    if (match !== null) return match;
  }
  return undefined;
}

/** Jaeger leaves out zeros in front. */
function padded(id: string): string {
  return /^[0-9a-f]+$/i.test(id) ? id.padStart(id.length > 16 ? 32 : 16, '0') : id;
}

function present(id: string): string | undefined {
  return isPlaceholderId(id) ? undefined : canonicalTraceId(id);
}

function presentSpan(id: string, isDecimal: boolean): string | undefined {
  const whole = isDecimal ? canonicalSpanId(id, true) : id.padStart(16, '0');
  return isPlaceholderId(whole) ? undefined : canonicalSpanId(whole);
}
