import { aboutCorrelations, compilePredicate, FilterSubject, type Filter } from '@logloom/filter';

/** What a filter can ask for in an alert, a silence or an acknowledgement. */
export interface Searchable {
  /** Searched for words. */
  message: string;
  /** Microseconds since 1970, for `timestamp`. */
  micros: number;
  /** The fields by name; labels have `labels.<name>` and, where no field has it, their own name. */
  fields: Readonly<Record<string, unknown>>;
  labels: Readonly<Record<string, string>>;
}

/** The filter over alerts: ranges, wildcards and quoting mean what they mean for events. */
export function alertPredicate(filter: Filter): (searchable: Searchable) => boolean {
  // Any name may be a label's, so no field is unknown.
  const matches = compilePredicate({ ...filter, ast: aboutCorrelations(filter.ast, []).ast });
  return (searchable) => matches(subjectOf(searchable));
}

function subjectOf({ message, micros, fields, labels }: Searchable): FilterSubject {
  return new FilterSubject({
    source: { kind: '', topic: '', partition: 0, offset: 0, index: 0 },
    id: '',
    timestamp: micros,
    receivedAt: 0,
    level: 'info',
    service: '',
    host: null,
    message,
    correlationId: null,
    correlationKind: null,
    traceId: null,
    spanId: null,
    attributes: JSON.stringify({ ...labels, ...fields, labels }),
    partition: 0,
    offset: 0,
  });
}
