/* A Modbus RTU server on libmodbus: an independent peer for tests, one unit of a serial line.
 *
 *   modbus_rtu_server port baudrate unit [registers] [image]
 *
 * Serves `registers` holding and input registers (10000), coils and discrete inputs from address 0;
 * register i holds i. `image` is a file with lines "address value" in decimal that overlays the
 * holding registers. Prints "ready" once it listens. Ends when standard input does, so that it
 * cannot outlive its parent.
 *
 *   cc -O2 -o modbus_rtu_server modbus_rtu_server.c $(pkg-config --cflags --libs libmodbus)
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

static int overlay(modbus_mapping_t *map, const char *path) {
    unsigned address, value;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return -1;
    }
    while (fscanf(file, "%u %u", &address, &value) == 2) {
        if (address < (unsigned)map->nb_registers) {
            map->tab_registers[address] = (uint16_t)value;
        }
    }
    return fclose(file);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "modbus_rtu_server port baudrate unit [registers] [image]\n");
        return 2;
    }
    int unit = atoi(argv[3]);
    int registers = argc > 4 ? atoi(argv[4]) : 10000;
    int bits = registers < 2000 ? registers : 2000;
    modbus_t *ctx = modbus_new_rtu(argv[1], atoi(argv[2]), 'N', 8, 1);
    modbus_mapping_t *map = modbus_mapping_new(bits, bits, registers, registers);
    if (ctx == NULL || map == NULL) {
        return 1;
    }
    for (int i = 0; i < registers; i++) {
        map->tab_registers[i] = map->tab_input_registers[i] = (uint16_t)i;
    }
    for (int i = 0; i < bits; i++) {
        map->tab_bits[i] = map->tab_input_bits[i] = i % 3 == 0;
    }
    if (argc > 5 && overlay(map, argv[5]) != 0) {
        fprintf(stderr, "cannot read the image: %s\n", argv[5]);
        return 1;
    }
    modbus_set_slave(ctx, unit);
    if (modbus_connect(ctx) == -1) {
        fprintf(stderr, "cannot open the port: %s\n", modbus_strerror(errno));
        return 1;
    }
    int line = modbus_get_socket(ctx);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        fd_set ready;
        FD_ZERO(&ready);
        FD_SET(line, &ready);
        FD_SET(STDIN_FILENO, &ready);
        if (select(line + 1, &ready, NULL, NULL, NULL) == -1) {
            return 1;
        }
        if (FD_ISSET(STDIN_FILENO, &ready)) {
            char byte;
            if (read(STDIN_FILENO, &byte, 1) <= 0) {
                return 0;
            }
        }
        if (FD_ISSET(line, &ready)) {
            uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
            int size = modbus_receive(ctx, query);
            if (size > 0) {
                modbus_reply(ctx, query, size, map);
            }
        }
    }
}
