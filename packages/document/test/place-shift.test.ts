import t from 'tap'
import { type PlaceShift, shiftPlace } from '../src/place-shift.ts'

const shift = (op: PlaceShift['op'], path: string, isInArray = true): PlaceShift => ({
  op,
  segments: path === '' ? [] : path.split('/'),
  isInArray,
})
const place = ['rows', '3', 's']

t.test('an element that comes or goes moves those behind it', async t => {
  t.same(shiftPlace(place, shift('add', 'rows/1')), ['rows', '4', 's'])
  t.same(shiftPlace(place, shift('add', 'rows/3')), ['rows', '4', 's'])
  t.same(shiftPlace(place, shift('remove', 'rows/2')), ['rows', '2', 's'])
  t.equal(shiftPlace(place, shift('add', 'rows/4')), place)
  t.equal(shiftPlace(place, shift('add', 'rows/-')), place)
  t.equal(shiftPlace(place, shift('remove', 'rows/4')), place)
})

t.test('what is overwritten or removed is gone with all below it', async t => {
  t.equal(shiftPlace(place, shift('remove', 'rows/3')), undefined)
  t.equal(shiftPlace(place, shift('replace', 'rows/3')), undefined)
  t.equal(shiftPlace(place, shift('replace', 'rows', false)), undefined)
  t.equal(shiftPlace(place, shift('add', 'rows/3/s', false)), undefined)
  t.equal(shiftPlace(place, shift('replace', '', false)), undefined)
  t.equal(shiftPlace(place, shift('add', 'rows/3', false)), undefined, 'a member of that name')
})

t.test('what happens elsewhere, or below, moves nothing', async t => {
  t.equal(shiftPlace(place, shift('remove', 'rows/3/s/x', false)), place)
  t.equal(shiftPlace(place, shift('add', 'columns/1')), place)
  t.equal(shiftPlace(place, shift('replace', 'rows/2')), place)
  t.equal(shiftPlace(place, shift('remove', 'rows/2', false)), place)
})
