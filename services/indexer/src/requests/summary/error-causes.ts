import { errorText, innermostCause } from './exception-chain.ts';
import { clockOf, withoutHeader, type SummaryEvent } from './summary-event.ts';
import type { SpanTree } from './span-tree.ts';
import type { Span } from './span.ts';

/** An error of a request with the errors of the same request that it follows from, by what says so. */
export interface RequestError {
  event: SummaryEvent;
  at: number;
  text: string;
  /** The innermost cause that the text names, or else its first line without time and level: as others would repeat it. */
  core: string;
  /** Its text, as far as services may be named in it. */
  about: string;
  saysCallFailed: boolean;
  span: Span | undefined;
  /** The strongest first: its text repeats, wraps or names the other; its span called the other's; it says that a call failed. */
  causes: readonly [texts: Set<RequestError>, spans: Set<RequestError>, calls: Set<RequestError>];
}

/** Shorter texts stand in others by chance. */
const minRepeated = 16;
const maxCore = 300;
/** What clients say of a server that answered with an error. */
const callFailed =
  /\b(?:HTTP(?:\/\d(?:\.\d)?)?|status(?:[ _]?code)?)\W{0,3}5\d\d\b|\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out|Server Error)\b|\b(?:HttpServerErrorException|FeignException|upstream)\b|(?:→|->|returned|responded with|answered(?: with)?|got)\W{0,3}5\d\d\b/i;

/** These phrases of HTTP contain what a service may be called. */
const statusPhrase = /bad gateway|gateway time-?out|internal server error|service unavailable/gi;

/** The errors, with what each follows from. They are compared pair by pair. */
export function errorCauses(
  errors: readonly { event: SummaryEvent; at: number }[],
  tree: SpanTree | undefined,
): RequestError[] {
  const all = errors.map(({ event, at }): RequestError => {
    const text = errorText(event);
    const [own = ''] = withoutHeader(event.message).split('\n', 1);
    return {
      event,
      at,
      text,
      core: (innermostCause(text) ?? own).slice(0, maxCore).trim(),
      about: text.replaceAll(statusPhrase, ''),
      saysCallFailed: callFailed.test(text),
      span: tree?.of(event),
      causes: [new Set(), new Set(), new Set()],
    };
  });
  const nameOfService = new Map(all.map(({ event: { service } }) => [service, wordOf(service)]));
  for (const effect of all)
    for (const cause of all) {
      if (cause === effect || isBefore(effect, cause)) continue;
      const [texts, spans, calls] = effect.causes;
      const isOther = effect.event.service !== cause.event.service;
      const isNamed = isOther && nameOfService.get(cause.event.service)!.test(effect.about);
      if (isNamed || repeats(effect, cause)) texts.add(cause);
      if (isBelow(cause.span, effect.span)) spans.add(cause);
      if (isOther && effect.saysCallFailed && !cause.saysCallFailed) calls.add(cause);
    }
  for (const { causes } of all) keepNearest(causes[1]);
  return all;
}

/** Finds the name of a service as a word; of one letter, nothing: that is too often a word itself. */
function wordOf(service: string): RegExp {
  const escaped = service.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return service.length < 2 ? /(?!)/ : new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, 'i');
}

/** Whether it was certainly before the other, which only one clock can tell. */
function isBefore(a: RequestError, b: RequestError): boolean {
  return a.at < b.at && clockOf(a.event) === clockOf(b.event);
}

function repeats(effect: RequestError, cause: RequestError): boolean {
  const forth = cause.core.length >= minRepeated && effect.text.includes(cause.core);
  const back = effect.core.length >= minRepeated && cause.text.includes(effect.core);
  if (!forth || !back) return forth;
  // Both say the same.
  if (isBelow(cause.span, effect.span)) return true;
  return !isBelow(effect.span, cause.span) && cause.at < effect.at;
}

/** Whether the first span was called by the second, directly or not. */
function isBelow(span: Span | undefined, above: Span | undefined): boolean {
  return span !== undefined && above !== undefined && span.enter > above.enter && span.enter <= above.leave;
}

/** Leaves out what another of them follows from as well. */
function keepNearest(causes: Set<RequestError>): void {
  const further = [...causes].flatMap((cause) =>
    [...causes].filter((other) => isBelow(other.span, cause.span)),
  );
  for (const each of further) causes.delete(each);
}
