package enrich

import (
	"path"
	"regexp"
	"strings"

	"ownmap/pipeline/state"
)

// deletedMark is what the kernel appends to the path of an executable whose file
// is gone (proc(5), /proc/pid/exe).
const deletedMark = " (deleted)"

// facts returns what is known of a process, and whether its executable is gone.
func (a *answer) facts(p *proc, containers map[string]string) (process state.Process, deleted bool) {
	exe, deleted := strings.CutSuffix(p.exe, deletedMark)
	process = state.Process{Exe: state.Clean(exe), User: a.userName(p.uid), SHA256: p.hash}
	process.Unit, process.Container = placeOf(p.cgroup, containers)
	if process.Container == "" { // paths in a container are of its own file system
		process.Package = a.packageOf(exe)
	}
	return process, deleted
}

// packageOf returns which package owns a path. Where /bin is a link to /usr/bin the
// database may know either name.
func (a *answer) packageOf(exe string) string {
	if name := a.packages[exe]; name != "" || exe == "" {
		return name
	}
	short, usr := strings.CutPrefix(exe, "/usr")
	if !usr {
		return ""
	}
	return a.packages[short]
}

// packageOf reads one line of a package manager about a path:
//
//	owner nginx /usr/sbin/nginx
//	apk /usr/sbin/nginx is owned by nginx-1.24.0-r6
//	pacman /usr/bin/nginx is owned by nginx 1.24.0-1
func packageOf(manager, line string) (file, name string, ok bool) {
	if manager == "owner" {
		name, file, ok = strings.Cut(line, " ")
		return file, state.Clean(name), ok && strings.HasPrefix(file, "/") && name != "file" && name != "error:"
	}
	file, name, ok = strings.Cut(line, " is owned by ")
	if manager == "pacman" {
		name, _, _ = strings.Cut(name, " ")
	} else {
		name = regexp.MustCompile(`-[0-9][^-]*-r[0-9]+$`).ReplaceAllString(name, "")
	}
	return file, state.Clean(name), ok && strings.HasPrefix(file, "/") && name != ""
}

// readDpkg reads what `dpkg-query -S` prints: "nginx: /usr/sbin/nginx". A path that
// several packages share stands behind their names; lines about diversions are
// left out.
func (a *answer) readDpkg(text []byte) {
	for line := range strings.SplitSeq(string(text), "\n") {
		names, file, ok := strings.Cut(line, ": ")
		if !ok || !strings.HasPrefix(file, "/") || strings.HasPrefix(names, "diversion ") {
			continue
		}
		name, _, _ := strings.Cut(names, ",")
		name, _, _ = strings.Cut(name, ":") // "libc6:amd64"
		a.packages[file] = state.Clean(name)
	}
}

// placeOf returns the unit and the container of a process from /proc/pid/cgroup, of
// which the line breaks are blanks by now. containers are the names of those that
// the runtimes know, by runtime and id.
func placeOf(cgroup string, containers map[string]string) (unit, container string) {
	for line := range strings.FieldsSeq(cgroup) {
		parts := strings.SplitN(line, ":", 3) // hierarchy:controllers:path
		if len(parts) < 3 {
			continue
		}
		if runtime, id := containerOf(parts[2]); runtime != "" && container == "" {
			container = runtime
			if name := containers[runtime+":"+id]; name != "" {
				container = runtime + ":" + name
			}
		}
		if parts[0] == "0" || parts[1] == "name=systemd" {
			if found := unitOf(parts[2]); found != "" && unit == "" {
				unit = found
			}
		}
	}
	if container != "" {
		return "", container // its unit is a scope with the id in its name
	}
	return unit, ""
}

// containerOf finds a container in a path of cgroups(7): its runtime, and its id
// where it has one.
func containerOf(cgroup string) (runtime, id string) {
	for part := range strings.SplitSeq(cgroup, "/") {
		if m := regexp.MustCompile(`^(docker|libpod|cri-containerd|crio|nerdctl)-([0-9a-f]{64})\.scope$`).FindStringSubmatch(part); m != nil {
			return runtimeName(m[1]), m[2]
		}
	}
	if m := regexp.MustCompile(`/(docker|libpod_parent/libpod-|libpod|actions_job)[/-]?([0-9a-f]{64})`).FindStringSubmatch(cgroup); m != nil {
		return runtimeName(strings.SplitN(m[1], "_", 2)[0]), m[2]
	}
	if m := regexp.MustCompile(`/(lxc\.payload|lxc\.monitor|lxc)[./]([^/]+)`).FindStringSubmatch(cgroup); m != nil {
		return "lxc:" + state.Clean(m[2]), ""
	}
	if m := regexp.MustCompile(`/(?:systemd-nspawn@|machine-)([^/]+)\.(?:service|scope)`).FindStringSubmatch(cgroup); m != nil {
		return "nspawn:" + state.Clean(m[1]), ""
	}
	if strings.Contains(cgroup, "/kubepods") {
		return "kubernetes", ""
	}
	return "", ""
}

func runtimeName(word string) string {
	switch word {
	case "libpod":
		return "podman"
	case "cri-containerd", "nerdctl":
		return "containerd"
	case "crio":
		return "cri-o"
	case "actions":
		return "docker"
	}
	return word
}

// unitOf returns systemd's unit of a path of cgroups(7). Units with a number for
// a name, as sessions and `systemd-run` have, go without it: it is another one
// each time.
func unitOf(cgroup string) string {
	unit := ""
	for part := range strings.SplitSeq(cgroup, "/") {
		switch path.Ext(part) {
		case ".service", ".scope", ".socket", ".mount":
			unit = part
		}
	}
	if unit == "" || strings.HasPrefix(unit, "user@") {
		return state.Clean(unit)
	}
	unit = regexp.MustCompile(`^(session|run|app-[^@]*?)-[a-z]?[0-9a-f]+(\.scope|\.service)$`).ReplaceAllString(unit, "$1$2")
	return state.Clean(unit)
}

// containerNames reads the lines "ID NAME IMAGE PORTS" of `docker ps`.
func containerNames(runtime string, text []byte, into map[string]string) {
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) >= 2 && fields[0] != "" {
			into[runtime+":"+fields[0]] = state.Clean(fields[1])
		}
	}
}
