#define _GNU_SOURCE
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

static const char *header(const struct message *message, const char *name)
{
    const char *found = strcasestr(message->head, name);
    return found ? found + strlen(name) : NULL;
}

static void begin_body(struct message *message)
{
    const char *length = header(message, "\r\ncontent-length:");
    message->closes = header(message, "\r\nconnection: close") != NULL;
    if (header(message, "\r\ntransfer-encoding: chunked")) {
        message->part = CHUNK_SIZE;
        return;
    }
    message->until_close = !length && !message->request;
    message->left = length ? strtoul(length, NULL, 10) : 0;
    message->part = message->left || message->until_close ? BODY : END;
}

static ssize_t read_head(struct message *message, const char *bytes, size_t length)
{
    size_t before = message->head_length;
    size_t taken = smaller(length, HEAD_LIMIT - 1 - before);
    memcpy(message->head + before, bytes, taken);
    message->head[before + taken] = 0;
    size_t from = before > 3 ? before - 3 : 0;
    char *end = strstr(message->head + from, "\r\n\r\n");
    if (!end) {
        message->head_length += taken;
        return message->head_length == HEAD_LIMIT - 1 ? -1 : (ssize_t)taken;
    }
    message->head_length = (size_t)(end - message->head) + 4;
    message->head[message->head_length] = 0;
    begin_body(message);
    return (ssize_t)(message->head_length - before);
}

/* Read one byte of what frames the chunks. */
static void read_framing(struct message *message, char byte)
{
    if (message->part == CHUNK_SIZE) {
        const char digit[2] = {byte, 0};
        if (byte == '\n')
            message->part = message->left ? CHUNK : TRAILER;
        else if (byte != '\r')
            message->left = message->left * 16 + strtoul(digit, NULL, 16);
    } else if (byte == '\n') {
        if (message->part == CHUNK_END)
            message->part = CHUNK_SIZE;
        else if (message->line == 0)
            message->part = END;
        message->line = 0;
    } else if (byte != '\r') {
        message->line++;
    }
}

ssize_t message_read(struct message *message, const char *bytes, size_t length, body_reader *read_body,
                     void *context)
{
    size_t used = 0;
    while (used < length && message->part != END) {
        if (message->part == HEAD) {
            ssize_t taken = read_head(message, bytes + used, length - used);
            if (taken < 0)
                return -1;
            used += (size_t)taken;
        } else if (message->part == BODY || message->part == CHUNK) {
            size_t taken = message->until_close ? length - used : smaller(length - used, message->left);
            read_body(context, bytes + used, taken);
            used += taken;
            if (!message->until_close && (message->left -= taken) == 0)
                message->part = message->part == BODY ? END : CHUNK_END;
        } else {
            read_framing(message, bytes[used++]);
        }
    }
    return (ssize_t)used;
}

void message_next(struct message *message)
{
    bool request = message->request;
    memset(message, 0, offsetof(struct message, head) + 1);
    message->request = request;
}
