// A small BACnet/IP device on @bacnet-js/client: values, a priority array, COV with and without an
// increment of the subscriber's. Usage: node server.js PORT; prints the port once it listens, ends with
// its standard input. Lines on standard input: "set TYPE INSTANCE VALUE", "forget".
'use strict'

const readline = require('node:readline')
const bacnet = require('@bacnet-js/client')

const Client = bacnet.default
const { ApplicationTag: Tag, ErrorClass, ErrorCode, ConfirmedServiceChoice: Service } = bacnet
const ALL = 0xffffffff
const INSTANCE = 4711
const P = { name: 77, identifier: 75, list: 76, maxApdu: 62, services: 97, segmentation: 107,
  vendor: 121, model: 70, vendorId: 120, value: 85, flags: 111, increment: 22, units: 117,
  states: 74, stateText: 110, array: 87, fallback: 104, reliability: 103 }

const bits = (...set) => {
  const count = Math.max(4, ...set.map((n) => n + 1))
  const value = Array(Math.ceil(count / 8)).fill(0)
  set.forEach((n) => { value[n >> 3] |= 1 << (n & 7) })
  return { type: Tag.BIT_STRING, value: { bitsUsed: count, value } }
}
const text = (value) => ({ type: Tag.CHARACTER_STRING, value })
const unsigned = (value) => ({ type: Tag.UNSIGNED_INTEGER, value })
const enumerated = (value) => ({ type: Tag.ENUMERATED, value })
const real = (value) => ({ type: Tag.REAL, value })
const id = (type, instance) => ({ type: Tag.OBJECTIDENTIFIER, value: { type, instance } })
const nothing = { type: Tag.NULL, value: null }

const objects = new Map()
const add = (type, instance, name, value, more = {}) => {
  objects.set(`${type},${instance}`, { type, instance, [P.identifier]: [id(type, instance)],
    [P.name]: [text(name)], [P.value]: [value], [P.flags]: [bits()], ...more })
}

add(0, 1, 'Outdoor', real(-3.25), { [P.increment]: [real(0.5)], [P.units]: [enumerated(62)] })
add(0, 0, 'Zero', real(7.5), { [P.increment]: [real(0.5)] })
add(0, 2, 'Broken', real(0), { [P.flags]: [bits(1)], [P.reliability]: [enumerated(4)] })
add(3, 1, 'Door', enumerated(1))
add(19, 1, 'Mode', unsigned(2), { [P.states]: [unsigned(3)],
  [P.stateText]: [text('off'), text('day'), text('night')] })
add(40, 1, 'Label', text('Zähler'))
const valve = { [P.array]: Array(16).fill(nothing), [P.fallback]: [real(20)],
  [P.increment]: [real(1)], [P.units]: [enumerated(98)] }
add(1, 1, 'Valve', real(20), valve)
add(2, 1, 'SetPoint', real(21.5), { [P.increment]: [real(0.1)], [P.units]: [enumerated(62)] })
add(8, INSTANCE, 'Peer', unsigned(0), {
  [P.maxApdu]: [unsigned(480)], [P.segmentation]: [enumerated(3)], [P.vendorId]: [unsigned(7)],
  [P.vendor]: [text('Peer Works')], [P.model]: [text('P-1')], [P.services]: [bits(5, 12, 14, 15, 34, 38)] })

const find = (o) => objects.get(o.type === 8 && o.instance === 0x3fffff
  ? `8,${INSTANCE}` : `${o.type},${o.instance}`)
const list = () => [...objects.values()].map((o) => id(o.type, o.instance))

function read(object, prop) {
  const values = prop.id === P.list && object.type === 8 ? list() : object[prop.id]
  if (!values || (object.type === 8 && prop.id === P.value)) return null
  if (prop.index === ALL || prop.index === undefined) return values
  return prop.index === 0 ? [unsigned(values.length)] : values.slice(prop.index - 1, prop.index)
}

const subscriptions = new Map()
let client

function report(one) {
  const object = find(one.object)
  const values = [P.value, P.flags].map((number) => ({ property: { id: number }, value: object[number] }))
  one.last = object[P.value][0].value
  const left = Math.max(1, Math.round((one.ends - Date.now()) / 1000))
  const target = { address: one.receiver.address }
  if (one.confirmed) {
    client.confirmedCOVNotification(target, one.object, one.process, INSTANCE, left, values).catch(() => {})
  } else {
    client.unconfirmedCOVNotification(target, one.process, INSTANCE, one.object, left, values)
  }
}

function changed(object) {
  for (const one of subscriptions.values()) {
    if (find(one.object) !== object || one.ends < Date.now()) continue
    const value = object[P.value][0].value
    const step = one.increment ?? object[P.increment]?.[0].value
    if (step === undefined ? value !== one.last : Math.abs(value - one.last) >= step) report(one)
  }
}

function subscribe(content, service, increment) {
  const { payload, invokeId, header } = content
  const object = find(payload.monitoredObjectId)
  if (!object || object.type === 40 || object.type === 8) {
    client.errorResponse(header.sender, service, invokeId, ErrorClass.OBJECT,
      object ? ErrorCode.OPTIONAL_FUNCTIONALITY_NOT_SUPPORTED : ErrorCode.UNKNOWN_OBJECT)
    return
  }
  const key = `${header.sender.address} ${payload.subscriberProcessId} ${object.type},${object.instance}`
  client.simpleAckResponse(header.sender, service, invokeId)
  if (payload.cancellationRequest) { subscriptions.delete(key); return }
  const one = { receiver: header.sender, process: payload.subscriberProcessId,
    object: payload.monitoredObjectId, confirmed: payload.issueConfirmedNotifications,
    ends: Date.now() + 1000 * payload.lifetime, increment }
  subscriptions.set(key, one)
  report(one)
}

function write(content) {
  const { payload, invokeId, header } = content
  const object = find(payload.objectId)
  const { property, value, priority } = payload.value
  const refuse = (code, kind = ErrorClass.PROPERTY) =>
    client.errorResponse(header.sender, Service.WRITE_PROPERTY, invokeId, kind, code)
  if (!object) return refuse(ErrorCode.UNKNOWN_OBJECT, ErrorClass.OBJECT)
  if (property.id !== P.value || object.type === 0 || object.type === 3) return refuse(ErrorCode.WRITE_ACCESS_DENIED)
  const given = value[0]
  const has = object[P.value][0].type
  if (given.type !== has && !(object[P.array] && given.type === Tag.NULL)) return refuse(ErrorCode.INVALID_DATA_TYPE)
  if (object[P.array]) {
    object[P.array][(priority >= 1 && priority <= 16 ? priority : 16) - 1] = given.type === Tag.NULL ? nothing : given
    object[P.value] = [object[P.array].find((slot) => slot.type !== Tag.NULL) ?? object[P.fallback][0]]
  } else {
    object[P.value] = [given]
  }
  client.simpleAckResponse(header.sender, Service.WRITE_PROPERTY, invokeId)
  changed(object)
}

client = new Client({ port: Number(process.argv[2]), interface: '127.0.0.1', broadcastAddress: '127.0.0.1' })
client.on('error', (error) => { console.error(error); process.exit(1) })
client.on('listening', () => console.log(client._transport.ownAddress.port))
client.on('whoIs', ({ payload, header }) => {
  const { lowLimit, highLimit } = payload
  if (lowLimit > INSTANCE || highLimit < INSTANCE) return
  client.iAmResponse(header.sender, INSTANCE, 3, 7)
})
client.on('readProperty', ({ payload, invokeId, header }) => {
  const object = find(payload.objectId)
  const values = object && read(object, payload.property)
  if (values) client.readPropertyResponse(header.sender, invokeId, payload.objectId, payload.property, values)
  else {
    client.errorResponse(header.sender, Service.READ_PROPERTY, invokeId,
      object ? ErrorClass.PROPERTY : ErrorClass.OBJECT, object ? ErrorCode.UNKNOWN_PROPERTY : ErrorCode.UNKNOWN_OBJECT)
  }
})
client.on('readPropertyMultiple', ({ payload, invokeId, header }) => {
  const answers = payload.properties.map(({ objectId, properties }) => ({
    objectId,
    values: properties.map((asked) => {
      const object = find(objectId)
      const values = object && read(object, asked)
      const error = { type: 'BacnetError', errorClass: object ? ErrorClass.PROPERTY : ErrorClass.OBJECT,
        errorCode: object ? ErrorCode.UNKNOWN_PROPERTY : ErrorCode.UNKNOWN_OBJECT }
      return { property: { id: asked.id, index: asked.index ?? ALL }, value: values ?? [{ value: error }] }
    }),
  }))
  client.readPropertyMultipleResponse(header.sender, invokeId, answers)
})
client.on('writeProperty', write)
client.on('subscribeCov', (content) => subscribe(content, Service.SUBSCRIBE_COV))
client.on('subscribeProperty', (content) => {
  const { covIncrement } = content.payload
  subscribe(content, Service.SUBSCRIBE_COV_PROPERTY, covIncrement || undefined)
})

const input = readline.createInterface({ input: process.stdin })
input.on('line', (line) => {
  const [what, type, instance, value] = line.split(' ')
  if (what === 'forget') subscriptions.clear()
  else {
    const object = find({ type: Number(type), instance: Number(instance) })
    object[P.value][0] = { ...object[P.value][0], value: Number(value) }
    changed(object)
  }
  console.log('done')
})
input.on('close', () => process.exit(0))
