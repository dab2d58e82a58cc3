// SPDX-License-Identifier: Apache-2.0
//
// Modbus/TCP, and the same over UDP: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, MODBUS
// Application Protocol Specification V1.1b3. UMAS of Schneider Electric (function 90) by its function
// codes, as far as they are public.
//
//   transaction 2 | protocol 2 = 0 | size 2 | unit 1 | function 1 | data (size − 2)
//   function + 128 in a response: an exception, data is its code.
//
// On port 502 the header is enough; on any other port the message must be one of the common functions
// whose sizes fit each other.
//
// Not here: Modbus RTU frames over TCP (no header to know them by), the values of registers but for
// single writes.
#include <array>

#include "dpi/number_names.h"
#include "dpi/pending_requests.h"
#include "dpi/protocols/modbus_names.h"
#include "weir/byte_reader.h"
#include "weir/protocol.h"

namespace weir {
namespace {

constexpr uint16_t kPort = 502;
constexpr uint32_t kPrefixSize = 6;          // what stands before the bytes that `size` counts
constexpr uint32_t kHeaderSize = 8;          // to the function code
constexpr uint16_t kBodySizeMin = 2;         // unit and function
constexpr uint16_t kBodySizeMax = 254;       // 260 bytes in all
constexpr uint16_t kUmasBodySizeMax = 2048;  // UMAS agrees on larger ones
constexpr uint8_t kExceptionBit = 0x80;
constexpr uint8_t kExceptionCodeMax = 11;
constexpr uint16_t kRegisterCountMax = 125;
constexpr uint16_t kBitCountMax = 2000;
constexpr uint16_t kCoilOn = 0xff00;
constexpr size_t kPendingMax = 8;        // requests of a flow whose response is awaited
constexpr uint8_t kObjectCountMax = 32;  // of one device identification

enum Function : uint8_t {
  kReadCoils = 1,
  kReadDiscreteInputs = 2,
  kReadHoldingRegisters = 3,
  kReadInputRegisters = 4,
  kWriteSingleCoil = 5,
  kWriteSingleRegister = 6,
  kReadExceptionStatus = 7,
  kDiagnostics = 8,
  kGetEventCounter = 11,
  kGetEventLog = 12,
  kWriteMultipleCoils = 15,
  kWriteMultipleRegisters = 16,
  kReportServerId = 17,
  kReadFileRecord = 20,
  kWriteFileRecord = 21,
  kMaskWriteRegister = 22,
  kReadWriteRegisters = 23,
  kReadFifoQueue = 24,
  kEncapsulated = 43,
  kUmas = 90,
};
constexpr uint8_t kMeiDeviceIdentification = 14;

enum : uint8_t {
  kUnitId,
  kFunctionNumber,
  kFunctionName,
  kAccess,
  kAddress,
  kQuantity,
  kWrittenValue,
  kValueCount,
  kRequestCount,
  kResponseCount,
  kTransactionCount,
  kExceptionCount,
  kException,
  kResponseTime,
  kSubfunction,
  kMeiType,
  kVendor,
  kProductCode,
  kRevision,
  kVendorUrl,
  kProductName,
  kModelName,
  kApplicationName,
  kServerId,
  kUmasFunction,
};
constexpr Attribute kAttributes[] = {
    {"modbus.unit_id", FieldType::kU8, kUnitId, Keep::kList,
     "Device behind the server that is meant."},
    {"modbus.function", FieldType::kU8, kFunctionNumber, Keep::kList, "Function code."},
    {"modbus.function_name", FieldType::kString, kFunctionName, Keep::kList,
     "What the function code is called."},
    {"modbus.access", FieldType::kString, kAccess, Keep::kList,
     "What a request does to the device: read, write, diagnose, program or other."},
    {"modbus.address", FieldType::kU16, kAddress, Keep::kList,
     "First register or coil of a request, counted from 0."},
    {"modbus.quantity", FieldType::kU16, kQuantity, Keep::kList,
     "Registers or coils that a request is about."},
    {"modbus.written_value", FieldType::kU16, kWrittenValue, Keep::kList,
     "Value of a single write; of a coil 1 for on."},
    {"modbus.value_count", FieldType::kU32, kValueCount, Keep::kCount,
     "Registers and coils that were read or written; coils are read in eights."},
    {"modbus.request_count", FieldType::kU32, kRequestCount, Keep::kCount, "Requests."},
    {"modbus.response_count", FieldType::kU32, kResponseCount, Keep::kCount,
     "Responses, exceptions counted."},
    {"modbus.transaction_count", FieldType::kU32, kTransactionCount, Keep::kCount,
     "Responses whose request was seen."},
    {"modbus.exception_count", FieldType::kU32, kExceptionCount, Keep::kCount, "Exceptions."},
    {"modbus.exception", FieldType::kString, kException, Keep::kList, "Why a request was refused."},
    {"modbus.response_time", FieldType::kDuration, kResponseTime, Keep::kFirst,
     "Time from a request to its response, of the first that has one.", Unit::kSeconds},
    {"modbus.subfunction", FieldType::kString, kSubfunction, Keep::kList,
     "What a diagnostics request asks for."},
    {"modbus.mei_type", FieldType::kString, kMeiType, Keep::kList,
     "What encapsulated interface transport carries."},
    {"modbus.vendor", FieldType::kString, kVendor, Keep::kFirst, "Vendor the device names."},
    {"modbus.product_code", FieldType::kString, kProductCode, Keep::kFirst,
     "Product code the device names."},
    {"modbus.revision", FieldType::kString, kRevision, Keep::kFirst,
     "Version of its software the device names."},
    {"modbus.vendor_url", FieldType::kString, kVendorUrl, Keep::kFirst,
     "Address of its vendor the device names."},
    {"modbus.product_name", FieldType::kString, kProductName, Keep::kFirst,
     "Product the device names."},
    {"modbus.model_name", FieldType::kString, kModelName, Keep::kFirst, "Model the device names."},
    {"modbus.application_name", FieldType::kString, kApplicationName, Keep::kFirst,
     "Application the device names."},
    {"modbus.server_id", FieldType::kBytes, kServerId, Keep::kFirst,
     "What the device reports of itself (function 17)."},
    {"modbus.umas_function", FieldType::kString, kUmasFunction, Keep::kList,
     "UMAS function of Schneider Electric controllers."},
};

struct ModbusState {
  PendingRequests<kPendingMax> pending;
  std::array<bool, 2> is_lost;  // by side: where a message begins is not known
};

struct Header {
  uint16_t transaction = 0;
  uint16_t protocol = 0;
  uint16_t body_size = 0;
  uint8_t unit = 0;
  uint8_t function = 0;  // with the exception bit

  bool is_exception() const noexcept { return (function & kExceptionBit) != 0; }
  uint8_t plain_function() const noexcept { return function & uint8_t{kExceptionBit - 1}; }
};

Header read_header(ByteReader& reader) noexcept {
  Header header;
  header.transaction = reader.be16();
  header.protocol = reader.be16();
  header.body_size = reader.be16();
  header.unit = reader.u8();
  header.function = reader.u8();
  return header;
}

bool header_fits(const Header& header) noexcept {
  const uint16_t size_max = header.plain_function() == kUmas ? kUmasBodySizeMax : kBodySizeMax;
  return header.protocol == 0 && header.body_size >= kBodySizeMin && header.body_size <= size_max &&
         header.plain_function() != 0;
}

// --- Is it Modbus?

enum class Shape : uint8_t {
  kWrong,
  kShort,  // more bytes would tell
  kWeak,   // right, but so short that chance may have made it
  kRight,
};

bool is_between(uint16_t value, uint16_t low, uint16_t high) noexcept {
  return value >= low && value <= high;
}

// Data that begins with its own size.
bool is_counted(ByteReader data) noexcept {
  const uint8_t size = data.u8();
  return data.ok() && size > 0 && data.remaining() == size;
}

// Of functions that name a first register and a count; `with_values`: values follow.
bool is_range(ByteReader data, uint16_t quantity_max, bool with_values, bool is_bits) noexcept {
  data.skip(2);
  const uint16_t quantity = data.be16();
  if (!data.ok() || !is_between(quantity, 1, quantity_max)) return false;
  if (!with_values) return data.remaining() == 0;
  const uint8_t size = data.u8();
  const unsigned size_wanted = is_bits ? (quantity + 7u) / 8 : quantity * 2u;
  return data.ok() && size == size_wanted && data.remaining() == size;
}

bool is_read_write(ByteReader data) noexcept {
  data.skip(2);
  const uint16_t read_count = data.be16();
  data.skip(2);
  const uint16_t write_count = data.be16();
  const uint8_t size = data.u8();
  return data.ok() && is_between(read_count, 1, kRegisterCountMax) && write_count > 0 &&
         size == write_count * 2 && data.remaining() == size;
}

bool is_device_identification(ByteReader data) noexcept {
  constexpr uint8_t kReadCodeMax = 4;
  if (data.u8() != kMeiDeviceIdentification) return false;
  const uint8_t read_code = data.u8();
  return data.ok() && read_code >= 1 && read_code <= kReadCodeMax && data.remaining() > 0;
}

// Do the sizes of a whole message fit its function, as a request or as a response?
Shape shape_of_data(const Header& header, ByteReader data) noexcept {
  const size_t size = data.remaining();
  if (header.is_exception()) {
    const uint8_t code = data.u8();
    return size == 1 && code >= 1 && code <= kExceptionCodeMax ? Shape::kWeak : Shape::kWrong;
  }
  const auto right_if = [](bool is_right) { return is_right ? Shape::kRight : Shape::kWrong; };
  const auto weak_if = [](bool is_right) { return is_right ? Shape::kWeak : Shape::kWrong; };
  switch (header.function) {
    case kReadCoils:
    case kReadDiscreteInputs:
      return right_if(is_range(data, kBitCountMax, false, true) || is_counted(data));
    case kReadHoldingRegisters:
    case kReadInputRegisters:
      return right_if(is_range(data, kRegisterCountMax, false, false) || is_counted(data));
    case kWriteSingleCoil: {
      data.skip(2);
      const uint16_t value = data.be16();
      return right_if(size == 4 && (value == 0 || value == kCoilOn));
    }
    case kWriteSingleRegister:
      return right_if(size == 4);
    case kWriteMultipleCoils:
      return right_if(is_range(data, kBitCountMax, size > 4, true));
    case kWriteMultipleRegisters:
      return right_if(is_range(data, kRegisterCountMax, size > 4, false));
    case kMaskWriteRegister:
      return right_if(size == 6);
    case kReadWriteRegisters:
      return right_if(is_read_write(data) || is_counted(data));
    case kEncapsulated:
      return right_if(is_device_identification(data));
    case kUmas:
      data.skip(1);
      return right_if(!find_name(kUmasFunctions, data.u8()).empty() && data.ok());
    case kReadExceptionStatus:
      return weak_if(size <= 1);
    case kDiagnostics:
      return weak_if(size >= 4);
    case kGetEventCounter:
      return weak_if(size == 0 || size == 4);
    case kGetEventLog:
    case kReportServerId:
      return weak_if(size == 0 || is_counted(data));
    case kReadFileRecord:
    case kWriteFileRecord:
      return weak_if(is_counted(data));
    case kReadFifoQueue:
      return weak_if(size == 2 || size >= 4);
    default:
      return Shape::kWrong;
  }
}

// `wanted` bytes would tell when it is kShort.
Shape shape_of(std::span<const uint8_t> bytes, uint32_t& wanted) noexcept {
  ByteReader reader(bytes);
  const Header header = read_header(reader);
  wanted = kHeaderSize;
  if (!reader.ok()) return Shape::kShort;
  if (!header_fits(header)) return Shape::kWrong;
  const uint32_t data_size = header.body_size - uint32_t{kBodySizeMin};
  wanted = kHeaderSize + data_size;
  if (data_size > reader.remaining()) return Shape::kShort;
  const Shape shape = shape_of_data(header, reader.prefix(data_size));
  reader.skip(data_size);
  if (shape == Shape::kWrong || reader.remaining() == 0) return shape;
  // Another message follows.
  const Header next = read_header(reader);
  return reader.ok() && !header_fits(next) ? Shape::kWrong : Shape::kRight;
}

Probe probe_port(const Payload& payload) noexcept {
  ByteReader reader(payload.bytes);
  const Header header = read_header(reader);
  if (!reader.ok()) {
    // The first bytes may tell already that it is not.
    return payload.is_datagram() ? Probe::no() : Probe::more(kHeaderSize);
  }
  const bool fits = header_fits(header) &&
                    (!payload.is_datagram() || header.body_size <= payload.wire_size - kPrefixSize);
  return fits ? Probe::yes() : Probe::no();
}

Probe probe(const Payload& payload) {
  if (payload.has_port(kPort)) return probe_port(payload);
  uint32_t wanted = 0;
  switch (shape_of(payload.bytes, wanted)) {
    case Shape::kRight:
      return Probe::yes();
    case Shape::kWeak:
      return Probe::maybe();
    case Shape::kShort:
      return payload.is_datagram() ? Probe::no() : Probe::more(wanted);
    case Shape::kWrong:
      break;
  }
  return Probe::no();
}

// --- What is in it?

void set_access(Context& context, uint8_t function) noexcept {
  switch (function) {
    case kReadCoils:
    case kReadDiscreteInputs:
    case kReadHoldingRegisters:
    case kReadInputRegisters:
    case kReadExceptionStatus:
    case kGetEventCounter:
    case kGetEventLog:
    case kReportServerId:
    case kReadFileRecord:
    case kReadFifoQueue:
    case kEncapsulated:
      context.set(kAccess, "read");
      return;
    case kReadWriteRegisters:
      context.set(kAccess, "read");
      context.set(kAccess, "write");
      return;
    case kWriteSingleCoil:
    case kWriteSingleRegister:
    case kWriteMultipleCoils:
    case kWriteMultipleRegisters:
    case kWriteFileRecord:
    case kMaskWriteRegister:
      context.set(kAccess, "write");
      return;
    case kDiagnostics:
      context.set(kAccess, "diagnose");
      return;
    case 9:
    case 13:
    case 18:
    case 40:
    case kUmas:
    case 125:
    case 126:
      context.set(kAccess, "program");
      return;
    default:
      context.set(kAccess, "other");
  }
}

void set_request(Context& context, uint8_t function, ByteReader data) noexcept {
  set_access(context, function);
  switch (function) {
    case kReadCoils:
    case kReadDiscreteInputs:
    case kReadHoldingRegisters:
    case kReadInputRegisters:
    case kWriteMultipleCoils:
    case kWriteMultipleRegisters: {
      const uint16_t address = data.be16();
      const uint16_t quantity = data.be16();
      if (!data.ok()) return;
      context.set(kAddress, address);
      context.set(kQuantity, quantity);
      return;
    }
    case kWriteSingleCoil:
    case kWriteSingleRegister: {
      const uint16_t address = data.be16();
      const uint16_t value = data.be16();
      if (!data.ok()) return;
      context.set(kAddress, address);
      context.set(kQuantity, uint16_t{1});
      const bool is_on = function == kWriteSingleCoil && value == kCoilOn;
      context.set(kWrittenValue, is_on ? uint16_t{1} : value);
      return;
    }
    case kMaskWriteRegister: {
      const uint16_t address = data.be16();
      if (!data.ok()) return;
      context.set(kAddress, address);
      context.set(kQuantity, uint16_t{1});
      return;
    }
    case kReadWriteRegisters:
      for (int part = 0; part < 2; ++part) {
        const uint16_t address = data.be16();
        const uint16_t quantity = data.be16();
        if (!data.ok()) return;
        context.set(kAddress, address);
        context.set(kQuantity, quantity);
      }
      return;
    case kReadFifoQueue: {
      const uint16_t address = data.be16();
      if (data.ok()) context.set(kAddress, address);
      return;
    }
    default:
      return;
  }
}

// Objects of a device identification: number 1 | size 1 | text.
void set_device_identification(Context& context, ByteReader data) noexcept {
  static constexpr std::array kObjects = {kVendor,      kProductCode, kRevision,       kVendorUrl,
                                          kProductName, kModelName,   kApplicationName};
  data.skip(4);  // read code, conformity, more follows, next object
  const uint8_t count = data.u8();
  for (uint8_t index = 0; index < count && index < kObjectCountMax; ++index) {
    const uint8_t number = data.u8();
    const std::span<const uint8_t> text = data.bytes(data.u8());
    if (!data.ok()) return;
    if (number < kObjects.size() && !text.empty()) context.set(kObjects[number], text);
  }
}

void count_values(Context& context, uint32_t count) noexcept {
  if (count > 0) context.set(kValueCount, count);
}

void set_response(Context& context, uint8_t function, ByteReader data) noexcept {
  switch (function) {
    case kReadCoils:
    case kReadDiscreteInputs:
      // How many of the last byte's bits count, the request knows.
      count_values(context, data.u8() * 8u);
      return;
    case kReadHoldingRegisters:
    case kReadInputRegisters:
    case kReadWriteRegisters:
      count_values(context, data.u8() / 2u);
      return;
    case kWriteSingleCoil:
    case kWriteSingleRegister:
    case kMaskWriteRegister:
      count_values(context, 1);
      return;
    case kWriteMultipleCoils:
    case kWriteMultipleRegisters:
      data.skip(2);
      count_values(context, data.be16());
      return;
    case kReportServerId: {
      const std::span<const uint8_t> id = data.bytes(data.u8());
      if (!id.empty()) context.set(kServerId, id);
      return;
    }
    case kEncapsulated:
      if (data.u8() == kMeiDeviceIdentification) set_device_identification(context, data);
      return;
    default:
      return;
  }
}

// Whoever is spoken to on the port is the server; else the initiator is the client.
bool is_request(const Payload& payload) noexcept {
  if (payload.receiver_port == kPort && payload.sender_port != kPort) return true;
  if (payload.sender_port == kPort && payload.receiver_port != kPort) return false;
  return payload.from_initiator();
}

void parse_message(Context& context, const Payload& payload, const Header& header,
                   ByteReader data) noexcept {
  const uint8_t function = header.plain_function();
  const bool is_asking = is_request(payload) && !header.is_exception();
  context.set(kUnitId, header.unit);
  context.set(kFunctionNumber, function);
  set_name(context, kFunctionName, kModbusFunctions, function);

  ModbusState& state = context.state<ModbusState>();
  const uint32_t key = uint32_t{header.transaction} << 16 | uint32_t{header.unit} << 8 | function;
  context.set(is_asking ? kRequestCount : kResponseCount, 1u);
  if (is_asking) {
    state.pending.add(key, payload.ts_ns);
  } else if (state.pending.has(key)) {
    int64_t elapsed_ns = 0;
    context.set(kTransactionCount, 1u);
    if (state.pending.take(key, payload.ts_ns, elapsed_ns))
      context.set_duration(kResponseTime, elapsed_ns);
  }

  if (header.is_exception()) {
    context.set(kExceptionCount, 1u);
    const uint8_t code = data.u8();
    if (data.ok()) set_name(context, kException, kModbusExceptions, code);
    context.end_message();
    return;
  }
  ByteReader begin = data;
  if (function == kDiagnostics) {
    const uint16_t subfunction = begin.be16();
    if (begin.ok()) set_name(context, kSubfunction, kModbusSubfunctions, subfunction);
  } else if (function == kEncapsulated) {
    const uint8_t type = begin.u8();
    if (begin.ok()) set_name(context, kMeiType, kModbusMeiTypes, type);
  } else if (function == kUmas) {
    begin.skip(1);  // pairing key
    const uint8_t umas_function = begin.u8();
    if (begin.ok()) set_name(context, kUmasFunction, kUmasFunctions, umas_function);
  }
  if (is_asking) {
    set_request(context, function, data);
  } else {
    set_response(context, function, data);
  }
  context.end_message();
}

Parse parse_datagram(Context& context, const Payload& payload) noexcept {
  ByteReader reader(payload.bytes);
  while (reader.remaining() >= kHeaderSize) {
    const Header header = read_header(reader);
    if (!header_fits(header)) break;
    const size_t data_size = header.body_size - size_t{kBodySizeMin};
    parse_message(context, payload, header, reader.prefix(data_size));
    reader.skip(data_size);
  }
  return Parse::next();
}

Parse parse_stream(Context& context, const Payload& payload) noexcept {
  bool& is_lost = context.state<ModbusState>().is_lost[static_cast<size_t>(payload.side)];
  if (payload.gap_before) is_lost = true;
  ByteReader reader(payload.bytes);
  while (reader.remaining() > 0) {
    const size_t consumed = payload.bytes.size() - reader.remaining();
    const auto need = [&](uint32_t size) {
      return consumed > 0 ? Parse::next(consumed) : Parse::need(size);
    };
    if (is_lost) {
      uint32_t wanted = 0;
      const Shape shape = shape_of(payload.bytes.subspan(consumed), wanted);
      if (shape == Shape::kShort) return need(wanted);
      // Wait for a segment that begins with a message, as nearly all do.
      if (shape == Shape::kWrong) return Parse::next(payload.bytes.size());
      is_lost = false;
    }
    const Header header = read_header(reader);
    if (!reader.ok()) return need(kHeaderSize);
    if (!header_fits(header)) {
      is_lost = true;
      return Parse::next(payload.bytes.size());
    }
    const uint32_t data_size = header.body_size - uint32_t{kBodySizeMin};
    if (data_size > reader.remaining()) return need(kHeaderSize + data_size);
    parse_message(context, payload, header, reader.prefix(data_size));
    reader.skip(data_size);
  }
  return Parse::next(payload.bytes.size());
}

Parse parse(Context& context, const Payload& payload) {
  return payload.is_datagram() ? parse_datagram(context, payload) : parse_stream(context, payload);
}

constexpr uint16_t kPorts[] = {kPort};

}  // namespace

extern const Protocol kModbus{
    .name = "modbus",
    .help = "Modbus/TCP, and the same over UDP.",
    .transports = kOverTcp | kOverUdp,
    .ports = kPorts,
    .attributes = kAttributes,
    .probe = probe,
    .parse = parse,
    .state_size = sizeof(ModbusState),
    .every_message = true,
};

}  // namespace weir
