/*
 * pump: TCP traffic of every shape that one connection can have, for the
 * live capture test.
 *
 *	pump -l ADDR PORT		serve until killed
 *	pump ADDR PORT KIND BYTES	one connection of a kind:
 *		get	the server sends BYTES and closes
 *		put	we send BYTES and close
 *		both	both send BYTES at once; each closes when done
 *		half	we close our side at once, the server then sends BYTES
 *		reset	we send BYTES, read a little, and leave by RST
 *
 * The first byte of a connection is the kind's letter, the next eight the
 * count in decimal.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char block[65536];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in
address(const char *addr, const char *port)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((unsigned short)atoi(port));
	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		die(addr);
	return sin;
}

/* Sends `out` bytes (then shuts down) and reads until the end, interleaved. */
static void
exchange(int fd, long out)
{
	struct pollfd p = { .fd = fd };
	ssize_t n;
	int open = 1;

	if (out == 0)
		shutdown(fd, SHUT_WR);
	while (open || out > 0) {
		p.events = (short)((open ? POLLIN : 0) |
		    (out > 0 ? POLLOUT : 0));
		if (poll(&p, 1, 20000) <= 0)
			return;
		if (p.revents & (POLLIN | POLLHUP | POLLERR)) {
			n = recv(fd, block, sizeof(block), MSG_DONTWAIT);
			if (n == 0 || (n < 0 && (p.revents & POLLERR)))
				open = 0;
			if (n < 0 && (p.revents & POLLERR))
				return;
		}
		if (out > 0 && (p.revents & POLLOUT)) {
			n = send(fd, block, out < (long)sizeof(block) ?
			    (size_t)out : sizeof(block), MSG_DONTWAIT);
			if (n > 0 && (out -= n) == 0)
				shutdown(fd, SHUT_WR);
		}
	}
}

static void
serve_one(int fd)
{
	char head[10] = { 0 };
	size_t have = 0;
	ssize_t n;

	while (have < 9) {
		if ((n = recv(fd, head + have, 9 - have, 0)) <= 0)
			return;
		have += (size_t)n;
	}
	exchange(fd, head[0] == 'p' ? 0 : atol(head + 1));
}

static void
serve(struct sockaddr_in sin)
{
	int one = 1, fd, s = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(s, 64) == -1)
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(s, NULL, NULL)) != -1) {
		if (fork() == 0) {
			serve_one(fd);
			exit(0);
		}
		close(fd);
	}
}

static void
client(struct sockaddr_in sin, const char *kind, long bytes)
{
	struct linger now = { 1, 0 };
	char head[16];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		die("connect");
	snprintf(head, sizeof(head), "%c%08ld", kind[0], bytes);
	if (send(fd, head, 9, 0) != 9)
		die("send");
	switch (kind[0]) {
	case 'g': case 'h':
		exchange(fd, 0);
		break;
	case 'p': case 'b':
		exchange(fd, bytes);
		break;
	case 'r':
		if (recv(fd, block, sizeof(block), 0) < 0)
			die("recv");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		break;
	default:
		break;
	}
	close(fd);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "-l") == 0)
		serve(address(argv[2], argv[3]));
	else if (argc == 5)
		client(address(argv[1], argv[2]), argv[3], atol(argv[4]));
	else
		return 2;
	return 0;
}
