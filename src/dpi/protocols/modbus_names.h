// SPDX-License-Identifier: Apache-2.0
//
// What the numbers of Modbus are called: MODBUS Application Protocol Specification V1.1b3; older
// functions of the Modicon Modbus Protocol Reference Guide; UMAS of Schneider Electric as far as its
// functions are public.
//
// Threads: immutable; any.
#pragma once

#include "dpi/number_names.h"

namespace weir {

inline constexpr NumberName kModbusFunctions[] = {
    {1, "read_coils"},
    {2, "read_discrete_inputs"},
    {3, "read_holding_registers"},
    {4, "read_input_registers"},
    {5, "write_single_coil"},
    {6, "write_single_register"},
    {7, "read_exception_status"},
    {8, "diagnostics"},
    {9, "program_484"},
    {10, "poll_484"},
    {11, "get_comm_event_counter"},
    {12, "get_comm_event_log"},
    {13, "program_584_984"},
    {14, "poll_584_984"},
    {15, "write_multiple_coils"},
    {16, "write_multiple_registers"},
    {17, "report_server_id"},
    {18, "program_884_m84"},
    {19, "reset_comm_link"},
    {20, "read_file_record"},
    {21, "write_file_record"},
    {22, "mask_write_register"},
    {23, "read_write_multiple_registers"},
    {24, "read_fifo_queue"},
    {40, "program_concept"},
    {43, "encapsulated_interface_transport"},
    {90, "umas"},
    {125, "firmware_replacement"},
    {126, "program_584_984_2"},
    {127, "report_local_address"},
};
static_assert(is_ascending(kModbusFunctions));

inline constexpr NumberName kModbusExceptions[] = {
    {1, "illegal_function"},
    {2, "illegal_data_address"},
    {3, "illegal_data_value"},
    {4, "server_device_failure"},
    {5, "acknowledge"},
    {6, "server_device_busy"},
    {7, "negative_acknowledge"},
    {8, "memory_parity_error"},
    {10, "gateway_path_unavailable"},
    {11, "gateway_target_device_failed_to_respond"},
};
static_assert(is_ascending(kModbusExceptions));

inline constexpr NumberName kModbusSubfunctions[] = {
    {0, "return_query_data"},
    {1, "restart_communications"},
    {2, "return_diagnostic_register"},
    {3, "change_ascii_delimiter"},
    {4, "force_listen_only_mode"},
    {10, "clear_counters"},
    {11, "return_bus_message_count"},
    {12, "return_bus_communication_error_count"},
    {13, "return_bus_exception_error_count"},
    {14, "return_server_message_count"},
    {15, "return_server_no_response_count"},
    {16, "return_server_nak_count"},
    {17, "return_server_busy_count"},
    {18, "return_bus_character_overrun_count"},
    {20, "clear_overrun_counter"},
};
static_assert(is_ascending(kModbusSubfunctions));

inline constexpr NumberName kModbusMeiTypes[] = {
    {13, "canopen_general_reference"},
    {14, "read_device_identification"},
};
static_assert(is_ascending(kModbusMeiTypes));

inline constexpr NumberName kUmasFunctions[] = {
    {0x01, "init_comm"},
    {0x02, "read_id"},
    {0x03, "read_project_info"},
    {0x04, "read_plc_info"},
    {0x06, "read_card_info"},
    {0x0a, "repeat"},
    {0x10, "take_plc_reservation"},
    {0x11, "release_plc_reservation"},
    {0x12, "keep_alive"},
    {0x20, "read_memory_block"},
    {0x22, "read_variables"},
    {0x23, "write_variables"},
    {0x24, "read_coils_registers"},
    {0x25, "write_coils_registers"},
    {0x30, "initialize_upload"},
    {0x31, "upload_block"},
    {0x32, "end_strategy_upload"},
    {0x33, "initialize_download"},
    {0x34, "download_block"},
    {0x35, "end_strategy_download"},
    {0x39, "read_ethernet_master_data"},
    {0x40, "start_plc"},
    {0x41, "stop_plc"},
    {0x50, "monitor_plc"},
    {0x58, "check_plc"},
    {0x70, "read_io_object"},
    {0x71, "write_io_object"},
    {0x73, "get_status_module"},
    {0xfd, "response_error"},
    {0xfe, "response_ok"},
};
static_assert(is_ascending(kUmasFunctions));

}  // namespace weir
