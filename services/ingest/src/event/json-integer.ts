/** Returns an int64 as a JSON number, or as a string of its digits where a number would round it. */
export function jsonInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
