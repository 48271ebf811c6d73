namespace OrleansLeases.Surrogates;

/// <summary>A refusal on its own, as an application's own grains may pass it on. Orleans looks a converter up by the exact type.</summary>
internal abstract class RefusalCase<T> : IConverter<T, RefusalSurrogate>
    where T : Refusal
{
    public T ConvertFromSurrogate(in RefusalSurrogate surrogate) => (T)surrogate.ToRefusal();

    public RefusalSurrogate ConvertToSurrogate(in T value) => RefusalSurrogate.Of(value);
}

[RegisterConverter]
internal sealed class InvalidRequestCase : RefusalCase<Refusal.InvalidRequest>;

[RegisterConverter]
internal sealed class UnauthorizedCase : RefusalCase<Refusal.Unauthorized>;

[RegisterConverter]
internal sealed class ForbiddenCase : RefusalCase<Refusal.Forbidden>;

[RegisterConverter]
internal sealed class NotFoundCase : RefusalCase<Refusal.NotFound>;

[RegisterConverter]
internal sealed class HeldCase : RefusalCase<Refusal.Held>;

[RegisterConverter]
internal sealed class NotHolderCase : RefusalCase<Refusal.NotHolder>;

[RegisterConverter]
internal sealed class ConflictCase : RefusalCase<Refusal.Conflict>;

[RegisterConverter]
internal sealed class LimitReachedCase : RefusalCase<Refusal.LimitReached>;

[RegisterConverter]
internal sealed class OutcomeUnknownCase : RefusalCase<Refusal.OutcomeUnknown>;

[RegisterConverter]
internal sealed class UnavailableCase : RefusalCase<Refusal.Unavailable>;
