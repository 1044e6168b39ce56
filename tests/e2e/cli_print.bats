#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=client
#
# grpctl against an agent that answers from a script: what it prints, as tables and as JSON.

load cli_helper

@test "usage as a table and as an array" {
	agent_reply 'GetUsage*' "{\"parameters\":{\"usage\":[$USAGE]}}"
	run -0 grpctl usage /a
	printed 'GROUP           CPU(own)   CPU(subtree)           USER        SYSTEM TASKS PROCESSES
default:/a 2.345678901 s 12.345678901 s 12.000000000 s 0.345678901 s     3         2'
	run -0 grpctl usage --json /a
	[[ $(jq -c . <<<"$output") == "$(jq -c . <<<"[$USAGE]")" ]]
}

@test "wait prints the usage; as JSON one object" {
	agent_reply 'Wait*' "{\"parameters\":{\"usage\":$USAGE}}"
	run -0 grpctl wait /a
	[[ $output == GROUP*default:/a*12.345678901\ s* ]]
	run -0 grpctl wait --json /a
	[[ $(jq -c . <<<"$output") == "$(jq -c . <<<"$USAGE")" ]]
}

@test "a tree is drawn from depths, and stays right with odd names" {
	agent <<-'END'
		org.grpagent.ListGroups* {"parameters":{"groups":[{"hierarchy":"web","group":"/","depth":0,"tasks":5,"usage_ns":3000000000,"usage_own_ns":0},{"hierarchy":"web","group":"/a","depth":1,"tasks":1,"usage_ns":2000000000,"usage_own_ns":1000000000},{"hierarchy":"web","group":"/a/x\\xff \\\\ y","depth":2,"tasks":0,"usage_ns":1,"usage_own_ns":1},{"hierarchy":"web","group":"/b","depth":1,"tasks":0,"usage_ns":0,"usage_own_ns":0}]}}
	END
	LC_ALL=C.UTF-8 run -0 grpctl tree web:/
	printed 'GROUP          TASKS      CPU(own)  CPU(subtree)
web:/              5 0.000000000 s 3.000000000 s
├─a                1 1.000000000 s 2.000000000 s
│ └─x\xff \\ y     0 0.000000001 s 0.000000001 s
└─b                0 0.000000000 s 0.000000000 s'
}

@test "ls, plain and long" {
	agent <<-'END'
		org.grpagent.ListGroups* {"parameters":{"groups":[{"hierarchy":"default","group":"/a b","depth":1,"children":2,"tasks":1,"subtree_tasks":4,"usage_ns":2000000000,"usage_own_ns":1000000000,"uid":0,"gid":4000000000,"mode":493,"flags":["notify_on_release","auto_delete"]}]}}
	END
	run -0 grpctl ls
	printed 'GROUP        TASKS  CPU(subtree)
default:/a b     1 2.000000000 s'
	run -0 grpctl ls -l
	printed 'MODE OWNER           FLAGS                         CHILDREN TASKS TASKS(subtree)      CPU(own)  CPU(subtree) GROUP
0755 root:4000000000 notify_on_release,auto_delete        2     1              4 1.000000000 s 2.000000000 s default:/a b'
}

@test "ps, by thread and by process" {
	agent <<-'END'
		org.grpagent.ListTasks* {"parameters":{"tasks":[{"pid":12,"tgid":10,"hierarchy":"default","group":"/a","cpu_ns":1500000000,"command":"a\nb c"}]}}
	END
	run -0 grpctl ps /a
	printed 'PID TGID           CPU GROUP      COMMAND
 12   10 1.500000000 s default:/a a\x0ab c'
	run -0 grpctl ps -p /a
	printed 'PID           CPU GROUP      COMMAND
 12 1.500000000 s default:/a a\x0ab c'
	run -0 grpctl ps --json /a
	[[ $(jq -c .[0].pid <<<"$output") == 12 ]]
}

@test "which: one line per hierarchy; headed for several; exiting" {
	agent <<-'END'
		org.grpagent.WhichTasks {"parameters":{"placements":[{"pid":7,"exiting":false,"places":[{"hierarchy":"default","subsystems":["cpuacct","debug"],"group":"/a"},{"hierarchy":"web","subsystems":[],"group":"/"}]}],"failures":[]}}
		org.grpagent.WhichTasks {"parameters":{"placements":[{"pid":7,"exiting":true,"places":[{"hierarchy":"default","subsystems":["cpuacct"],"group":"/a"}]},{"pid":8,"exiting":false,"places":[{"hierarchy":"default","subsystems":["cpuacct"],"group":"/"}]}],"failures":[]}}
	END
	run -0 grpctl which 7
	printed $'cpuacct,debug,name=default:/a\nname=web:/'
	sent WhichTasks '{"pids":["7"]}'
	run -0 grpctl which 7 8
	printed $'7:\ncpuacct,name=default:/a exiting\n8:\ncpuacct,name=default:/'
}

@test "get prints exactly what the file holds" {
	agent <<-'END'
		org.grpagent.ReadFile* {"parameters":{"content":"12\n34 \\x\t"}}
	END
	run -0 sh -c 'grpctl get /a f | od -An -c'
	printed '   1   2  \n   3   4       \   x  \t'
	sent ReadFile '{"group":"/a","file":"f"}'
	run -0 grpctl get --json /a f
	[[ $(jq -c . <<<"$output") == '{"content":"12\n34 \\x\t"}' ]]
}

@test "hierarchies, subsystems, mounts, features" {
	agent <<-'END'
		org.grpagent.ListHierarchies {"parameters":{"hierarchies":[{"name":"default","aliases":[],"mounted":true,"subsystems":["cpuacct","debug"],"groups":3,"tasks":200},{"name":"web","aliases":["www","w"],"mounted":false,"subsystems":[],"groups":1,"tasks":200}]}}
		org.grpagent.ListSubsystems {"parameters":{"subsystems":[{"name":"cpuacct","hierarchy":"default","groups":4,"enabled":true,"shareable":true},{"name":"cpuacct","hierarchy":"web","groups":1,"enabled":false,"shareable":true}]}}
		org.grpagent.ListMounts {"parameters":{"mounts":[{"name":"web","hierarchy":"web","options":["cpuacct","clone_children"],"directories":["/mnt/web","/a b"]},{"name":"www","hierarchy":"web","options":["cpuacct","clone_children"],"directories":[]}]}}
		org.grpagent.ListFeatures {"parameters":{"features":[{"name":"btf","available":true,"needed":true,"reason":""},{"name":"lsm","available":false,"needed":false,"reason":"bpf is not in lsm="}]}}
	END
	run -0 grpctl hierarchies
	printed 'HIERARCHY GROUPS TASKS MOUNTED SUBSYSTEMS    ALIASES
default        3   200 yes     cpuacct,debug -
web            1   200 no      -             www,w'
	run -0 grpctl subsystems
	printed 'SUBSYSTEM HIERARCHY GROUPS ENABLED SHAREABLE
cpuacct   default        4 yes     yes
cpuacct   web            1 no      yes'
	run -0 grpctl mounts
	printed 'NAME HIERARCHY OPTIONS                AT
web  web       cpuacct,clone_children /mnt/web,/a b
www  web       cpuacct,clone_children -'
	run -0 grpctl features
	printed 'FEATURE AVAILABLE NEEDED REASON
btf     yes       yes    -
lsm     no        no     bpf is not in lsm='
}

@test "stat: a record and the files" {
	agent <<-'END'
		org.grpagent.StatGroup* {"parameters":{"stat":{"hierarchy":"default","group":"/a","id":7,"created_ns":1700000000000000000,"last_activity_ns":0,"peak_tasks":12,"uid":0,"gid":0,"mode":493,"flags":[],"children":1,"descendants":3,"tasks":2,"processes":1,"chargers":3,"references":0,"usage_ns":1,"usage_own_ns":1,"files":[{"name":"cpuacct.usage","uid":0,"gid":4000000000,"mode":420,"unit":"ns","help":"CPU time"}]}}}
	END
	TZ=UTC run -0 grpctl stat /a
	[[ $output == *"Group: "*" default:/a"*"Created:"*"2023-11-14 22:13:20 +0000"*"Owner: "*" root:root"*"Mode: "*" 0755"*"Flags: "*" -"* ]]
	[[ $output =~ "Last activity:"\ +-.*"Peak tasks:"\ +12 ]]
	[[ $output == *$'\n\nMODE OWNER           FILE          UNIT HELP\n0644 root:4000000000 cpuacct.usage ns   CPU time' ]]
	run -0 grpctl stat --json /a
	[[ $(jq -r '.files[0].name' <<<"$output") == cpuacct.usage ]]
}

@test "status: record and tables; ping" {
	agent <<-'END'
		org.grpagent.GetStatus {"parameters":{"status":{"instance":"main","version":"1","state":"running","pid":9,"generation":2,"started_ns":0,"hierarchies":1,"groups":1,"sets":1,"connections":1,"memory_bytes":3000000,"events_lost":0,"audit_corrections":0,"capacities":[{"name":"sets","used":1,"limit":4096,"bytes":1048576},{"name":"map:tasks","bytes":480},{"name":"map:events","limit":2730,"bytes":4096}],"programs":[{"name":"on_switch","runs":4,"run_ns":1000}],"counters":{"births":3},"config":{"metrics":"none"}}}}
		org.grpagent.Ping {"parameters":{"instance":"main","version":"1"}}
		org.grpagent.Ping {"parameters":{"instance":"main","version":"1"}}
	END
	run -0 grpctl status
	[[ $output == *"State: "*" running"* ]]
	[[ $output == *"Memory: "*" 2.9 MiB"* ]]
	[[ $output == *$'\n\nCAPACITY USED LIMIT MEMORY(full)\nsets        1  4096      1.0 MiB\n\n'* ]]
	[[ $output == *$'\n\nMAP    LIMIT  MEMORY\ntasks      -   480 B\nevents  2730 4.0 KiB\n\n'* ]]
	[[ $output == *$'PROGRAM   RUNS          TIME TIME/RUN\non_switch    4 0.000001000 s   250 ns'* ]]
	[[ $output == *"births"*"3"*"metrics"*"none"* ]]
	run -0 grpctl ping
	[[ $output == "Instance: main"* ]]
	run -0 grpctl --json ping
	[[ $(jq -c . <<<"$output") == '{"instance":"main","version":"1"}' ]]
}

@test "watch: a line an event, as they come; the first reply has none" {
	agent <<-'END'
		org.grpagent.Watch !more {"parameters":{},"continues":true}
		x !more {"parameters":{"event":{"seq":1,"time_ns":1500000000123456789,"event":"mv","hierarchy":"web","group":"/a\\\\ b","uid":7,"from":"/x\n"}},"continues":true}
		x !more {"parameters":{"event":{"seq":9,"time_ns":1500000001000000000,"event":"lost","count":8}},"continues":true}
		x {"parameters":{}}
		org.grpagent.Watch !more {"parameters":{},"continues":true}
		x !more !slow {"parameters":{"event":{"seq":2,"time_ns":1,"event":"empty","hierarchy":"default","group":"/a"}},"continues":true}
		x {"parameters":{"event":{"seq":3,"time_ns":2,"event":"empty","hierarchy":"default","group":"/b"}}}
	END
	TZ=UTC run -0 grpctl watch web:/
	printed '2017-07-14 02:40:00.123456 mv      web:/a\\ b uid=7 from=/x\x0a
2017-07-14 02:40:01.000000 lost    count=8'
	[[ $(tail -n 1 "$RUN/log") == '{"method":"org.grpagent.Watch","parameters":{"group":"web:/"},"more":true}' ]]
	run -0 grpctl watch --json
	printed '{"seq":2,"time_ns":1,"event":"empty","hierarchy":"default","group":"/a"}
{"seq":3,"time_ns":2,"event":"empty","hierarchy":"default","group":"/b"}'
	[[ $(tail -n 1 "$RUN/log") == '{"method":"org.grpagent.Watch","parameters":{},"more":true}' ]]
}

@test "watch: what goes wrong in the middle of the stream" {
	agent <<-'END'
		org.grpagent.Watch !more {"parameters":{},"continues":true}
		x {"error":"org.grpagent.Failed","parameters":{"errno":"ENODEV","message":"It is gone"}}
		org.grpagent.Watch !more {"parameters":{},"continues":true}
		x !half {"parameters":{"event":{"seq":2,"time_ns":1,"event":"empty"}},"continues":true}
		org.grpagent.Watch !more {"parameters":{},"continues":true}
		x {"parameters":{"event":7},"continues":true}
		org.grpagent.Watch {"error":"org.varlink.service.MethodNotFound","parameters":{"method":"Watch"}}
	END
	run -1 grpctl watch /a
	printed 'grpctl: watch /a: It is gone (ENODEV)'
	run -3 grpctl watch
	printed 'grpctl: watch: the agent of instance main has ended; what happens from now on is not shown'
	run -1 grpctl watch
	printed 'grpctl: watch: Protocol error (EPROTO)'
	run -1 grpctl watch
	[[ $output == *"does not know this method"* ]]
}

@test "watch: output that cannot be written is a failure" {
	agent <<-'END'
		org.grpagent.Watch !more {"parameters":{},"continues":true}
		x {"parameters":{"event":{"seq":2,"time_ns":1,"event":"empty"}},"continues":true}
	END
	run -1 bash -c 'grpctl watch >/dev/full'
	[[ $output == *ENOSPC* ]]
}

@test "attach --dry-run: the groups alone" {
	printf 'org.grpagent.CanAttach {}\n%.0s' {1..2} | agent
	run -0 grpctl attach --dry-run /a,h:/b
	sent CanAttach '{"groups":["/a","h:/b"]}'
	[[ -z $output ]]
	run -0 grpctl attach --thread --dry-run --json /a
	sent CanAttach '{"groups":["/a"],"thread":true}'
	[[ $(jq -c . <<<"$output") == '{}' ]]
}
