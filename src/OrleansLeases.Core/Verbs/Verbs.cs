namespace OrleansLeases.Core;

/// <summary>The verbs of the service, each in the file that has all of it: its checks, its command and what the machine does.</summary>
internal static partial class Verbs
{
    public static readonly Verb<ValueTuple, ServiceInfo> Info = new(
        "info",
        static (_, _) => null,
        Authorize: null,
        static (front, _, stop) => new(front.Host.InfoAsync(stop)));

    public static readonly Verb<ValueTuple, MemberList> Members = new(
        "list-members",
        static (_, _) => null,
        static (access, _) => access.ToOperate(),
        static (front, _, stop) => new(front.Host.ListMembersAsync(stop)));
}
