package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/utils/exec"
)

const (
	idle    = 10 * time.Minute
	opening = 30 * time.Second
	// How often a followed log is looked at.
	following = 200 * time.Millisecond
)

type kubelet struct{ answers asker }

// exec runs a command: the streams are opened, the question asked, the answer written and its exit code sent as the status.
func (k *kubelet) exec(w http.ResponseWriter, r *http.Request) {
	options, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	where := Question{Namespace: r.PathValue("namespace"), Pod: r.PathValue("pod"), Container: r.PathValue("container")}
	remotecommand.ServeExec(w, r, &executor{k.answers, where}, where.Pod, r.PathValue("uid"), where.Container,
		r.Form["command"], options, idle, opening, remotecommand.SupportedStreamingProtocols)
}

type executor struct {
	answers asker
	where   Question
}

// ExecInContainer implements remotecommand.Executor.
func (e *executor) ExecInContainer(ctx context.Context, _, _, _ string, command []string, in io.Reader,
	out, errors io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	question := e.where
	question.Command = command
	if in != nil {
		question.Stdin = whatCame(ctx, in)
	}
	answer, err := e.answers.ask(ctx, "/exec", question)
	if err != nil {
		return err
	}
	for _, stream := range []struct {
		to   io.WriteCloser
		text string
	}{{out, answer.Stdout}, {errors, answer.Stderr}} {
		if stream.to == nil {
			continue
		}
		if _, err := io.WriteString(stream.to, stream.text); err != nil {
			return fmt.Errorf("failed to write the answer: %w", err)
		}
	}
	if answer.ExitCode != 0 {
		return exec.CodeExitError{Err: fmt.Errorf("exit code %d", answer.ExitCode), Code: answer.ExitCode}
	}
	return nil
}

// whatCame returns the standard input up to its end, or what had come when nothing more came for a second: not every client's end
// arrives through the API server.
func whatCame(ctx context.Context, in io.Reader) string {
	pieces := make(chan string)
	go func() {
		defer close(pieces)
		buffer := make([]byte, 32<<10)
		for {
			n, err := in.Read(buffer)
			select {
			case pieces <- string(buffer[:n]):
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var came strings.Builder
	for {
		select {
		case piece, open := <-pieces:
			came.WriteString(piece)
			if !open {
				return came.String()
			}
		case <-time.After(time.Second):
			return came.String()
		case <-ctx.Done():
			return came.String()
		}
	}
}

// logs writes what a container has logged, the last tailLines of it when asked, and goes on with follow=true.
func (k *kubelet) logs(w http.ResponseWriter, r *http.Request) {
	question := Question{Namespace: r.PathValue("namespace"), Pod: r.PathValue("pod"), Container: r.PathValue("container")}
	query := r.URL.Query()
	answer, err := k.answers.ask(r.Context(), "/logs", question)
	if err != nil {
		status := http.StatusInternalServerError
		var no refused
		if errors.As(err, &no) {
			status = no.status
		}
		http.Error(w, err.Error(), status)
		return
	}
	text := answer.Stdout
	if lines, err := strconv.Atoi(query.Get("tailLines")); err == nil {
		text = last(text, lines)
	}
	if limit, err := strconv.Atoi(query.Get("limitBytes")); err == nil && limit < len(text) {
		text = text[:limit]
	}
	w.Header().Set("Content-Type", "text/plain")
	_, err = io.WriteString(w, text)
	for written := len(answer.Stdout); err == nil && query.Get("follow") == "true" && !answer.Ended; {
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(following):
		}
		if answer, err = k.answers.ask(r.Context(), "/logs", question); err == nil && len(answer.Stdout) > written {
			_, err = io.WriteString(w, answer.Stdout[written:])
			written = len(answer.Stdout)
		}
	}
}

// last returns the last n lines.
func last(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if n < len(lines) {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "")
}
