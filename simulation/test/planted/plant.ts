/*
 * Plants a bug in what is loaded from here on: `node --import <this file>?<name of a bug>`. Production
 * has no switch for it: modules are changed as they are read.
 */
import { register } from 'node:module'

register('./planted-modules.js', import.meta.url, {
  data: new URL(import.meta.url).search.slice(1),
})
