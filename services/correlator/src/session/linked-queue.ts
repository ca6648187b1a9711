/** A value's place in a LinkedQueue. */
export interface QueueNode<T> {
  readonly value: T;
  previous: QueueNode<T> | null;
  next: QueueNode<T> | null;
}

/**
 * A doubly linked queue: push, remove and move to the end are O(1). A Map keeps the order too, but looking at its first entry walks
 * over the deleted ones before it, so its cost jumps with the number of open sessions (bench/correlator.ts shows both).
 */
export class LinkedQueue<T> {
  first: QueueNode<T> | null = null;
  last: QueueNode<T> | null = null;
  size = 0;

  push(value: T): QueueNode<T> {
    const node: QueueNode<T> = { value, previous: null, next: null };
    this.#insertAfter(this.last, node);
    return node;
  }

  remove(node: QueueNode<T>): void {
    if (node.previous === null) this.first = node.next;
    else node.previous.next = node.next;
    if (node.next === null) this.last = node.previous;
    else node.next.previous = node.previous;
    node.previous = null;
    node.next = null;
    this.size--;
  }

  moveToEnd(node: QueueNode<T>): void {
    if (this.last === node) return;
    this.remove(node);
    this.#insertAfter(this.last, node);
  }

  #insertAfter(place: QueueNode<T> | null, node: QueueNode<T>): void {
    node.previous = place;
    node.next = place === null ? this.first : place.next;
    if (node.next === null) this.last = node;
    else node.next.previous = node;
    if (place === null) this.first = node;
    else place.next = node;
    this.size++;
  }
}
