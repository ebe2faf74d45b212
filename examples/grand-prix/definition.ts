/* The race as a Fanfold document: its first state, and what each message of the timing feed does. */
import { defineDocument, message } from 'fanfold'
import { schemas } from './messages.ts'
import { emptyRace } from './race.ts'
import * as control from './race-control.ts'
import * as timing from './timing.ts'

export default defineDocument({
  type: 'grand-prix',
  state: emptyRace,

  // A race is public: whoever has a token may watch, and all see the same.
  observe: { allow: () => true },

  messages: {
    newRace: message(schemas.newRace, control.newRace),
    gridPlace: message(schemas.gridPlace, control.takeGridPlace),
    formation: message(schemas.formation, control.startFormation),
    lights: message(schemas.lights, control.setLights),

    segment: message(schemas.segment, timing.passSegment),
    sector: message(schemas.sector, timing.passSector),
    speed: message(schemas.speed, timing.passSpeedTrap),

    pitIn: message(schemas.pitIn, control.enterPit),
    pitOut: message(schemas.pitOut, control.leavePit),
    retire: message(schemas.retire, control.retire),

    track: message(schemas.track, control.setTrack),
    weather: message(schemas.weather, (race, weather) => {
      race.weather = weather
    }),
    notice: message(schemas.notice, (race, { text }) => control.notify(race, 'info', text)),
  },
})
