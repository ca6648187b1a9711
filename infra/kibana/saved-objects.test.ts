import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsIn, readSavedObjects } from './read-saved-objects.ts';

const objects = readSavedObjects();

test('every reference is to an object of the file, and what needs one has it', () => {
  const known = new Set(objects.map(({ type, id }) => `${type} ${id}`));
  assert.equal(known.size, objects.length);
  for (const { type, id, references } of objects) {
    for (const reference of references) assert.ok(known.has(`${reference.type} ${reference.id}`), id);
    if (type === 'search' || type === 'visualization')
      assert.deepEqual(
        references.map(({ name }) => name),
        ['kibanaSavedObjectMeta.searchSourceJSON.index'],
        id,
      );
  }
  assert.deepEqual([...new Set(objects.map(({ type }) => type))].sort(), [
    'dashboard',
    'index-pattern',
    'search',
    'visualization',
  ]);
});

test('the panels of the dashboard are its references, each in a place of its own', () => {
  const dashboard = objects.find(({ type }) => type === 'dashboard')!;
  const panels = JSON.parse(dashboard.attributes['panelsJSON'] as string) as {
    panelIndex: string;
    panelRefName: string;
    gridData: { x: number; y: number; w: number; h: number };
  }[];
  assert.deepEqual(
    panels.map(({ panelIndex, panelRefName }) => `${panelIndex}:${panelRefName}`),
    dashboard.references.map(({ name }) => name),
  );
  for (const [i, { gridData: a }] of panels.entries()) {
    assert.ok(a.x + a.w <= 48);
    for (const { gridData: b } of panels.slice(i + 1))
      assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y);
  }
});

test('fields are found wherever an object names them', () => {
  const query = JSON.stringify({ query: { query: 'a.b : ("x : y" or z) and c >= 2' } });
  const visState = JSON.stringify({ aggs: [{ params: {} }, { params: { field: 'd' } }] });
  const attributes = {
    columns: ['e'],
    sort: [['f', 'desc']],
    visState,
    kibanaSavedObjectMeta: { searchSourceJSON: query },
  };
  assert.deepEqual(fieldsIn({ id: 'x', type: 'search', references: [], attributes }), [
    'e',
    'f',
    'd',
    'a.b',
    'c',
  ]);
});
