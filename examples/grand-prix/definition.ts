/* The race as a Fanfold document: its first state, what each message of the timing feed does, and its crowd. */
import {
  countBy,
  defineDocument,
  message,
  nobody,
  presence,
  reducer,
  rollup,
  vote,
  watched,
} from 'fanfold'
import { takeCheers, takeVotes } from './crowd.ts'
import { crowdSchemas, schemas } from './messages.ts'
import { emptyRace } from './race.ts'
import * as control from './race-control.ts'
import * as timing from './timing.ts'

export default defineDocument({
  type: 'grand-prix',
  state: emptyRace,

  // A race is public: whoever has a token may watch, and all see the same, but for who voted for whom.
  observe: { allow: () => true },
  privacy: { '/ballots': nobody },

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

  // There are 99 numbers that a car may have: with room for all of them every count is exact.
  reducers: {
    cheer: reducer({
      message: crowdSchemas.forCar,
      of: ({ car }) => String(car),
      into: countBy({ top: 99 }),
      apply: takeCheers,
    }),
    driverOfTheDay: reducer({
      message: crowdSchemas.forCar,
      of: ({ car }) => String(car),
      into: vote(),
      apply: takeVotes,
    }),
  },

  viewState: crowdSchemas.followed,
  watched: {
    followed: watched({
      of: viewState => viewState && String(viewState.car),
      into: countBy({ top: 99 }),
      apply: (race, looks, { timeMs }) => rollup.add(race.crowd.looks, looks, timeMs),
    }),
  },

  presence: presence({
    apply: (race, viewers) => {
      race.crowd.viewers = viewers
    },
  }),
  crowd: { aggregatesPerSecond: 5 },
})
