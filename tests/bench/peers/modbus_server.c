/* A Modbus TCP server on libmodbus: an independent peer for tests and benchmarks.
 *
 *   modbus_server [port] [registers] [changing]
 *
 * Port 0 takes a free one; the port is printed as the first line on standard output. Serves
 * `registers` holding and input registers (10000), coils and discrete inputs from address 0,
 * register i holds i. With `changing` = 1 each read of holding registers adds 1 to every register
 * that was asked for. A byte on standard input is answered with the number of requests so far, on
 * a line; the server ends when standard input does, so that it cannot outlive its parent.
 *
 *   cc -O2 -o modbus_server modbus_server.c $(pkg-config --cflags --libs libmodbus)
 */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/select.h>
#include <unistd.h>

#define HEADER 7 /* MBAP */

static int listen_on(modbus_t *ctx, int *port) {
    int listener = modbus_tcp_listen(ctx, 64);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (listener == -1 || getsockname(listener, (struct sockaddr *)&address, &size) == -1) {
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

static void change(modbus_mapping_t *map, const uint8_t *query) {
    int first = (query[HEADER + 1] << 8) | query[HEADER + 2];
    int count = (query[HEADER + 3] << 8) | query[HEADER + 4];
    if (query[HEADER] != 3 || first + count > map->nb_registers) {
        return;
    }
    for (int i = first; i < first + count; i++) {
        map->tab_registers[i]++;
    }
}

int main(int argc, char **argv) {
    int port = argc > 1 ? atoi(argv[1]) : 0;
    int registers = argc > 2 ? atoi(argv[2]) : 10000;
    int changing = argc > 3 ? atoi(argv[3]) : 0;
    int bits = registers < 2000 ? registers : 2000;
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", port);
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
    int listener = listen_on(ctx, &port);
    if (listener == -1) {
        fprintf(stderr, "cannot listen: %s\n", modbus_strerror(errno));
        return 1;
    }
    printf("%d\n", port);
    fflush(stdout);

    fd_set open;
    long requests = 0;
    int highest = listener;
    FD_ZERO(&open);
    FD_SET(listener, &open);
    FD_SET(STDIN_FILENO, &open);
    for (;;) {
        fd_set ready = open;
        if (select(highest + 1, &ready, NULL, NULL, NULL) == -1) {
            return 1;
        }
        for (int fd = 0; fd <= highest; fd++) {
            if (!FD_ISSET(fd, &ready)) {
                continue;
            }
            if (fd == STDIN_FILENO) {
                char byte;
                if (read(fd, &byte, 1) <= 0) {
                    return 0;
                }
                printf("%ld\n", requests);
                fflush(stdout);
            } else if (fd == listener) {
                int on = 1, peer = accept(listener, NULL, NULL);
                if (peer == -1 || peer >= FD_SETSIZE) {
                    continue;
                }
                setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                FD_SET(peer, &open);
                highest = peer > highest ? peer : highest;
            } else {
                uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
                modbus_set_socket(ctx, fd);
                int size = modbus_receive(ctx, query);
                if (size > 0) {
                    if (changing) {
                        change(map, query);
                    }
                    requests++;
                    modbus_reply(ctx, query, size, map);
                } else if (size == -1) {
                    close(fd);
                    FD_CLR(fd, &open);
                }
            }
        }
    }
}
