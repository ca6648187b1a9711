/** How many viewers want what. */
export interface Workload {
  viewers: number;
  /** Events a second of the whole log. */
  rate: number;
  services: number;
}

/** Viewers with the same filter, who share each frame. */
export interface Audience {
  /** The key by which an audience is placed: what its filter demands, such as a service; undefined if it demands nothing. */
  key: string | undefined;
  viewers: number;
  /** Matching events a second. */
  rate: number;
}

/** Kinds of filters and their shares of the viewers: mostly one service, as teams watch what they run. */
const kinds = { service: 0.7, serviceErrors: 0.15, request: 0.05, errors: 0.08, everything: 0.02 } as const;
const errorShare = 0.01;
/** Of a request that somebody watches. */
const requestRate = 2;

/** The audiences of a workload. The rate of services and their viewers follow Zipf's law with the exponent 1. */
export function audiencesOf({ viewers, rate, services }: Workload): Audience[] {
  const shares = Array.from({ length: services }, (_, n) => 1 / (n + 1));
  const sum = shares.reduce((total, share) => total + share, 0);
  const audiences: Audience[] = [];
  shares.forEach((share, n) => {
    const part = share / sum;
    const of = (kind: number): number => Math.round(viewers * kind * part);
    audiences.push({ key: `service-${n}`, viewers: of(kinds.service), rate: rate * part });
    audiences.push({
      key: `service-${n}`,
      viewers: of(kinds.serviceErrors),
      rate: rate * part * errorShare,
    });
  });
  for (let n = 0; n < viewers * kinds.request; n++)
    audiences.push({ key: `request-${n}`, viewers: 1, rate: requestRate });
  audiences.push({ key: undefined, viewers: viewers * kinds.errors, rate: rate * errorShare });
  audiences.push({ key: undefined, viewers: viewers * kinds.everything, rate });
  return audiences.filter((audience) => audience.viewers > 0);
}
