/** Loopback has more addresses than one: each gives 28,000 connections to a port. */
export const sourceAddresses = 20;

export function isLoopback(url: string): boolean {
  return /^127\.|^localhost$/.test(new URL(url).hostname);
}
